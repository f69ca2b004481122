package containers

import (
	"context"
	"errors"
	"fmt"

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

// remove removes the containers, networks and images of owners that are chosen by their labels.
func remove(ctx context.Context, docker client.APIClient, chosen func(labels map[string]string) bool) error {
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
