package containers

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// engineStub has a network of a dead owner. late counts the looks until a container comes into being that its owner had
// asked for; stuck says that nothing can be taken off the network.
type engineStub struct {
	client.APIClient
	late      int
	stuck     bool
	container bool
	network   bool
	endpoints map[string]network.EndpointResource
}

func (e *engineStub) ContainerList(context.Context, client.ContainerListOptions) (client.ContainerListResult, error) {
	if e.late--; e.late == 0 {
		e.container = true
		e.endpoints["late"] = network.EndpointResource{}
	}
	if !e.container {
		return client.ContainerListResult{}, nil
	}
	return client.ContainerListResult{Items: []container.Summary{{ID: "late", Labels: map[string]string{labelOwner: "dead"}}}}, nil
}

func (e *engineStub) ContainerRemove(context.Context, string, client.ContainerRemoveOptions) (client.ContainerRemoveResult, error) {
	e.container = false // and its endpoint is there for a moment more
	return client.ContainerRemoveResult{}, nil
}

func (e *engineStub) NetworkList(context.Context, client.NetworkListOptions) (client.NetworkListResult, error) {
	if !e.network {
		return client.NetworkListResult{}, nil
	}
	n := network.Summary{}
	n.ID, n.Labels = "net", map[string]string{labelOwner: "dead"}
	return client.NetworkListResult{Items: []network.Summary{n}}, nil
}

func (e *engineStub) NetworkInspect(context.Context, string, client.NetworkInspectOptions) (client.NetworkInspectResult, error) {
	return client.NetworkInspectResult{Network: network.Inspect{Containers: e.endpoints}}, nil
}

func (e *engineStub) NetworkDisconnect(_ context.Context, _ string, o client.NetworkDisconnectOptions) (client.NetworkDisconnectResult, error) {
	if !o.Force {
		return client.NetworkDisconnectResult{}, fmt.Errorf("%w: the container is not running", errdefs.ErrConflict)
	}
	if !e.stuck {
		delete(e.endpoints, o.Container)
	}
	return client.NetworkDisconnectResult{}, nil
}

func (e *engineStub) NetworkRemove(context.Context, string, client.NetworkRemoveOptions) (client.NetworkRemoveResult, error) {
	if e.late > 0 || len(e.endpoints) > 0 {
		return client.NetworkRemoveResult{}, fmt.Errorf("%w: it has active endpoints", errdefs.ErrPermissionDenied)
	}
	e.network = false
	return client.NetworkRemoveResult{}, nil
}

func (e *engineStub) ImageList(context.Context, client.ImageListOptions) (client.ImageListResult, error) {
	return client.ImageListResult{}, nil
}

func TestRemoveWhatIsBusyStill(t *testing.T) {
	all := func(map[string]string) bool { return true }
	for _, test := range []struct {
		name   string
		engine engineStub
		fails  bool
	}{
		{"nothing is busy", engineStub{}, false},
		{"an endpoint outlives its container", engineStub{endpoints: map[string]network.EndpointResource{"gone": {}}}, false},
		{"a container comes into being late", engineStub{late: 2}, false},
		{"it is busy for ever", engineStub{stuck: true, endpoints: map[string]network.EndpointResource{"gone": {}}}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &test.engine
			e.network = true
			if e.endpoints == nil {
				e.endpoints = map[string]network.EndpointResource{}
			}
			if err := remove(t.Context(), e, all); (err != nil) != test.fails || (e.network || e.container) != test.fails {
				t.Errorf("%s: %v, network left %v, container left %v", test.name, err, e.network, e.container)
			}
		})
	}
}
