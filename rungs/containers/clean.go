package containers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// clean removes everything whose owner has ended, and then the owners' locks.
func clean(ctx context.Context, docker client.APIClient, machine string) error {
	ctx, cancel := context.WithTimeout(ctx, cleanLimit)
	defer cancel()
	ended := func(labels map[string]string) bool { return dead(labels, machine) }
	if err := remove(ctx, docker, ended); err != nil {
		return err
	}
	dir, err := lockDir()
	if err != nil {
		return err
	}
	return forget(dir, machine)
}

// removeTries is how often remove looks. What an owner that was killed had asked the engine for may come into being after the
// first look, and a network is busy for a moment after its containers went.
const (
	removeTries = 5
	removePause = 200 * time.Millisecond
)

// remove removes the containers, networks and images of owners that are chosen by their labels.
func remove(ctx context.Context, docker client.APIClient, chosen func(labels map[string]string) bool) error {
	for try := 1; ; try++ {
		err := removeOnce(ctx, docker, chosen)
		if err == nil || try == removeTries {
			return err
		}
		pause := time.NewTimer(removePause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}

func removeOnce(ctx context.Context, docker client.APIClient, chosen func(labels map[string]string) bool) error {
	owned := make(client.Filters).Add("label", labelOwner)
	var failed []error
	// Somebody else may clean up at the same time: what is gone already is as good.
	note := func(kind, id string, err error) {
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			failed = append(failed, fmt.Errorf("%s %s: %w", kind, id, err))
		}
	}
	containers, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: owned})
	note("containers", "", err)
	for _, c := range containers.Items {
		if chosen(c.Labels) {
			_, err := docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			note("container", c.ID, err)
		}
	}
	networks, err := docker.NetworkList(ctx, client.NetworkListOptions{Filters: owned})
	note("networks", "", err)
	for _, n := range networks.Items {
		if chosen(n.Labels) {
			_, err := docker.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			if errdefs.IsPermissionDenied(err) { // it "has active endpoints": the next look finds it without
				err = errors.Join(err, disconnect(ctx, docker, n.ID))
			}
			note("network", n.ID, err)
		}
	}
	images, err := docker.ImageList(ctx, client.ImageListOptions{Filters: owned})
	note("images", "", err)
	for _, i := range images.Items {
		if chosen(i.Labels) {
			_, err := docker.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
			note("image", i.ID, err)
		}
	}
	return errors.Join(failed...)
}

// disconnect takes whatever is still connected off a network.
func disconnect(ctx context.Context, docker client.APIClient, id string) error {
	found, err := docker.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
	for container := range found.Network.Containers {
		_, failed := docker.NetworkDisconnect(ctx, id, client.NetworkDisconnectOptions{Container: container, Force: true})
		err = errors.Join(err, failed)
	}
	return err
}
