package gcpsmtest_test

import (
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/tokenkeep/tokenkeep/gcpsm/gcpsmtest"
)

// calls has a call of each method on a secret of the project demo, and on its version 1.
var calls = map[string]func(c sm, id string) error{
	"AccessSecretVersion": func(c sm, id string) error {
		_, err := c.access(global+"/secrets/"+id, "1")
		return err
	},
	"AddSecretVersion": func(c sm, id string) error {
		_, err := c.add(global+"/secrets/"+id, "value")
		return err
	},
	"CreateSecret": func(c sm, id string) error {
		_, err := c.make(global, id, &secretmanagerpb.Secret{Replication: automatic})
		return err
	},
	"DeleteSecret": func(c sm, id string) error {
		return c.DeleteSecret(c.t.Context(), &secretmanagerpb.DeleteSecretRequest{Name: global + "/secrets/" + id})
	},
	"GetSecret": func(c sm, id string) error {
		_, err := c.GetSecret(c.t.Context(), &secretmanagerpb.GetSecretRequest{Name: global + "/secrets/" + id})
		return err
	},
	"GetSecretVersion": func(c sm, id string) error {
		_, err := c.GetSecretVersion(c.t.Context(), &secretmanagerpb.GetSecretVersionRequest{Name: global + "/secrets/" + id + "/versions/1"})
		return err
	},
	"ListSecrets": func(c sm, _ string) error {
		_, _, err := c.ListSecrets(c.t.Context(), &secretmanagerpb.ListSecretsRequest{Parent: global}).InternalFetch(0, "")
		return err
	},
	"ListSecretVersions": func(c sm, id string) error {
		_, _, err := c.ListSecretVersions(c.t.Context(), &secretmanagerpb.ListSecretVersionsRequest{Parent: global + "/secrets/" + id}).InternalFetch(0, "")
		return err
	},
	"UpdateSecret": func(c sm, id string) error {
		_, err := c.update(&secretmanagerpb.Secret{Name: global + "/secrets/" + id}, "labels")
		return err
	},
	"EnableSecretVersion":  changeOf("EnableSecretVersion"),
	"DisableSecretVersion": changeOf("DisableSecretVersion"),
	"DestroySecretVersion": changeOf("DestroySecretVersion"),
}

func changeOf(method string) func(c sm, id string) error {
	return func(c sm, id string) error {
		_, err := changes[method](c, global+"/secrets/"+id+"/versions/1", "")
		return err
	}
}

// needed are the permissions of the methods, and the resource that a denial names.
var needed = map[string][2]string{
	"AccessSecretVersion":  {"secretmanager.versions.access", "projects/demo/secrets/s/versions/1"},
	"AddSecretVersion":     {"secretmanager.versions.add", "projects/demo/secrets/s"},
	"CreateSecret":         {"secretmanager.secrets.create", "projects/demo"},
	"DeleteSecret":         {"secretmanager.secrets.delete", "projects/demo/secrets/s"},
	"DestroySecretVersion": {"secretmanager.versions.destroy", "projects/demo/secrets/s/versions/1"},
	"DisableSecretVersion": {"secretmanager.versions.disable", "projects/demo/secrets/s/versions/1"},
	"EnableSecretVersion":  {"secretmanager.versions.enable", "projects/demo/secrets/s/versions/1"},
	"GetSecret":            {"secretmanager.secrets.get", "projects/demo/secrets/s"},
	"GetSecretVersion":     {"secretmanager.versions.get", "projects/demo/secrets/s/versions/1"},
	"ListSecrets":          {"secretmanager.secrets.list", "projects/demo"},
	"ListSecretVersions":   {"secretmanager.versions.list", "projects/demo/secrets/s"},
	"UpdateSecret":         {"secretmanager.secrets.update", "projects/demo/secrets/s"},
}

func TestEachMethodNeedsItsOwnPermission(t *testing.T) {
	server := startServer(t)
	c := as(t, server, "app")
	for method, need := range needed {
		server.SetPermissions("app", gcpsmtest.Grant{Permissions: []string{need[0]}})
		for other, call := range calls {
			err := call(c, "s") // whatever it answers: the secret may be there or not
			if other == method {
				if code := codeOf(err); code == codes.PermissionDenied || code == codes.InvalidArgument {
					t.Errorf("%s with %s: %v", method, need[0], err)
				}
				continue
			}
			wantError(t, err, codes.PermissionDenied,
				"Permission '"+needed[other][0]+"' denied for resource '"+needed[other][1]+"' (or it may not exist).")
		}
	}
}

func TestAPrincipalWithoutGrantsMayDoNothingAndOneThatNeverHadAnyEverything(t *testing.T) {
	server := startServer(t)
	server.SetPermissions("app")
	for _, principal := range []string{"", "another"} {
		as(t, server, principal).create("s" + principal)
	}
	for method, call := range calls {
		if err := call(as(t, server, "app"), "s"); codeOf(err) != codes.PermissionDenied {
			t.Errorf("%s: %v; want PermissionDenied", method, err)
		}
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer app")
	_, err := as(t, server, "").GetSecret(ctx, &secretmanagerpb.GetSecretRequest{Name: global + "/secrets/s"})
	wantCode(t, err, codes.PermissionDenied)
	server.SetPermissions("app", gcpsmtest.Grant{}, gcpsmtest.Grant{Permissions: []string{"secretmanager.secrets.get"}})
	as(t, server, "app").get(global + "/secrets/s")
}

func TestAGrantHoldsForNamesWithItsPrefix(t *testing.T) {
	server := startServer(t)
	c := as(t, server, "")
	c.mustAdd(c.create("crm-a"), "value")
	c.mustAdd(c.create("other"), "value")
	limited := as(t, server, "app")
	for prefix, want := range map[string][2]codes.Code{ // of crm-a and other
		"":                                   {codes.OK, codes.OK},
		answered:                             {codes.OK, codes.OK},
		answered + "/secrets/crm-":           {codes.OK, codes.PermissionDenied},
		answered + "/secrets/crm-a/versions": {codes.OK, codes.PermissionDenied},
		global + "/secrets/crm-":             {codes.PermissionDenied, codes.PermissionDenied}, // the condition sees the number
		"rm-a":                               {codes.PermissionDenied, codes.PermissionDenied},
	} {
		server.SetPermissions("app", gcpsmtest.Grant{Permissions: []string{"secretmanager.versions.access"}, ResourcePrefix: prefix})
		for i, id := range []string{"crm-a", "other"} {
			if err := calls["AccessSecretVersion"](limited, id); codeOf(err) != want[i] {
				t.Errorf("prefix %q: %s answers %v; want %s", prefix, id, err, want[i])
			}
		}
	}
	server.SetPermissions("app", gcpsmtest.Grant{
		Permissions:    []string{"secretmanager.secrets.create", "secretmanager.secrets.list"},
		ResourcePrefix: answered + "/secrets/crm-",
	})
	for _, method := range []string{"CreateSecret", "ListSecrets"} {
		wantCode(t, calls[method](limited, "crm-b"), codes.PermissionDenied)
	}
}

func TestPermissionsAreCheckedBeforeTheSecretIsLookedFor(t *testing.T) {
	server := startServer(t)
	limited := as(t, server, "app")
	access := gcpsmtest.Grant{Permissions: []string{"secretmanager.versions.access"}}
	server.SetPermissions("app", access)
	wantCode(t, calls["GetSecret"](limited, "missing"), codes.PermissionDenied)
	wantCode(t, calls["AccessSecretVersion"](limited, "missing"), codes.NotFound)
	wantCode(t, calls["GetSecret"](limited, "mal.formed"), codes.InvalidArgument)

	access.OnSecret = true
	server.SetPermissions("app", access)
	wantCode(t, calls["AccessSecretVersion"](limited, "missing"), codes.PermissionDenied)
	c := as(t, server, "")
	c.mustAdd(c.create("s"), "value")
	limited.wantValue(global+"/secrets/s", "1", "value")
	c.remove(global + "/secrets/s")
	wantCode(t, calls["AccessSecretVersion"](limited, "s"), codes.PermissionDenied)
	server.SetPermissions("app", gcpsmtest.Grant{Permissions: []string{"secretmanager.secrets.create"}, OnSecret: true})
	wantCode(t, calls["CreateSecret"](limited, "s"), codes.PermissionDenied)
}

func TestGrantsAreCopied(t *testing.T) {
	server := startServer(t)
	permissions := []string{"secretmanager.secrets.get"}
	server.SetPermissions("app", gcpsmtest.Grant{Permissions: permissions})
	permissions[0] = "secretmanager.secrets.list"
	wantCode(t, calls["ListSecrets"](as(t, server, "app"), ""), codes.PermissionDenied)
}
