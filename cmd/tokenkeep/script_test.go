package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tokenkeep/tokenkeep/localstack"
)

// TestCommandLine runs the scripts of testdata/script, each on a Secrets Manager and a Zoho of its own.
func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setUp,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "fill": fill, "remove": remove, "overwrite": overwrite, "damage": damage,
			"requests": requests, "refreshes": refreshes, "permit": permit,
		},
	})
}

func setUp(env *testscript.Env) error {
	server, err := localstack.Start()
	if err != nil {
		return err
	}
	env.Defer(server.Close)
	env.Values["server"] = server
	zoho := httptest.NewServer(accountsFor(env, refreshesFor(env)))
	env.Defer(zoho.Close)
	env.Setenv("LOCALSTACK_ENDPOINT", server.URL)
	env.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.URL)
	env.Setenv("AWS_ACCESS_KEY_ID", "test")
	env.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	env.Setenv("TOKENKEEP_STORE", "localstack://crm/test")
	env.Setenv("ZOHO", zoho.URL)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // a program under -race ends a second late otherwise
	return nil
}

// refresh answers as Zoho's accounts server.
func refresh(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.FormValue("refresh_token") == "canary-revoked" {
		_, _ = fmt.Fprint(w, `{"error":"invalid_code"}`)
		return
	}
	_, _ = fmt.Fprint(w, `{"access_token":"canary-fresh","api_domain":"https://www.zohoapis.eu","token_type":"Bearer","expires_in":3600}`)
}

// status runs a program and checks its exit status. Credentials in these scripts begin with "canary", and no output may have
// one that was not asked for.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status NUMBER PROGRAM ARGUMENTS")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d; want %d", got, want)
	}
	asked := slices.Contains(args, "--reveal") || slices.Contains(args, "token")
	if strings.Contains(ts.ReadFile("stderr"), "canary") || !asked && strings.Contains(ts.ReadFile("stdout"), "canary") {
		ts.Fatalf("a credential was printed")
	}
}

// fill puts the values of environment variables into files.
func fill(ts *testscript.TestScript, _ bool, files []string) {
	for _, name := range files {
		text := strings.ReplaceAll(ts.ReadFile(name), "$ZOHO", ts.Getenv("ZOHO"))
		text = strings.ReplaceAll(text, "$ID", ts.Getenv("ID"))
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// remove deletes a secret by hand.
func remove(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		_, err := manager(ts).DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{
			SecretId: aws.String(name), ForceDeleteWithoutRecovery: aws.Bool(true),
		})
		ts.Check(err)
	}
}

// overwrite puts something into a secret that is none of ours.
func overwrite(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		_, err := manager(ts).PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String(name), SecretString: aws.String("canary-by-hand"),
		})
		ts.Check(err)
	}
}

// damage makes the expiry of one row of an SQLite file no number.
func damage(ts *testscript.TestScript, _ bool, files []string) {
	for _, name := range files {
		db, err := sql.Open("sqlite", ts.MkAbs(name))
		ts.Check(err)
		_, err = db.Exec("UPDATE oauthtoken SET expiry_time = 'soon' WHERE id = '1'")
		ts.Check(errors.Join(err, db.Close()))
	}
}

func manager(ts *testscript.TestScript) *secretsmanager.Client {
	cfg, err := localstack.ConfigFor(ts.Getenv("LOCALSTACK_ENDPOINT"))
	ts.Check(err)
	transport := &http.Transport{}
	ts.Defer(transport.CloseIdleConnections)
	cfg.HTTPClient = &http.Client{Transport: transport}
	return secretsmanager.NewFromConfig(cfg)
}
