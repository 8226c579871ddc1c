package realvault

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/vault/api"
)

// unseal initializes a new server with one share of the key, and unseals it.
func unseal(address string) (rootToken, key string, err error) {
	client, closeIdle, err := newClient(address, "")
	if err != nil {
		return "", "", err
	}
	defer closeIdle()
	made, err := client.Sys().Init(&api.InitRequest{SecretShares: 1, SecretThreshold: 1})
	if err != nil {
		return "", "", fmt.Errorf("initialize: %w", err)
	}
	if _, err := client.Sys().Unseal(made.Keys[0]); err != nil {
		return "", "", fmt.Errorf("unseal: %w", err)
	}
	return made.RootToken, made.Keys[0], nil
}

// mount mounts KV 2, KV 1, approle and userpass where there is nothing yet, and waits until KV 2 answers.
func mount(address, token string) error {
	client, closeIdle, err := newClient(address, token)
	if err != nil {
		return err
	}
	defer closeIdle()
	mounts, err := client.Sys().ListMounts()
	if err != nil {
		return fmt.Errorf("list the mounts: %w", err)
	}
	for path, version := range map[string]string{"secret": "2", "kv1": "1"} {
		there, ok := mounts[path+"/"]
		switch {
		case ok && (there.Type != "kv" || there.Options["version"] != version):
			return fmt.Errorf("%s/ is not KV version %s, but %s with options %v", path, version, there.Type, there.Options)
		case !ok:
			input := &api.MountInput{Type: "kv", Options: map[string]string{"version": version}}
			if err := client.Sys().Mount(path, input); err != nil {
				return fmt.Errorf("mount %s/: %w", path, err)
			}
		}
	}
	methods, err := client.Sys().ListAuth()
	if err != nil {
		return fmt.Errorf("list the auth methods: %w", err)
	}
	for _, method := range []string{"approle", "userpass"} {
		if methods[method+"/"] == nil {
			if err := client.Sys().EnableAuthWithOptions(method, &api.EnableAuthOptions{Type: method}); err != nil {
				return fmt.Errorf("enable %s: %w", method, err)
			}
		}
	}
	return await(client)
}

// await waits until KV 2, which upgrades a new mount in the background, answers.
func await(client *api.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		_, err := client.Logical().ReadWithContext(ctx, "secret/config")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("secret/ does not answer: %w", err)
		case <-poll.C:
		}
	}
}
