package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/localstack"
)

func newLocalstack(g *global) *cobra.Command {
	var host string
	var port uint16
	cmd := &cobra.Command{
		Use:   "localstack",
		Short: "Serve an AWS Secrets Manager for development, until Ctrl-C",
		Long: `localstack serves an AWS Secrets Manager for development: any AWS SDK or the AWS CLI is a client of it, with any
credentials. It keeps everything in memory, and is empty again after Ctrl-C or SIGTERM.

Nobody is asked for a password: whoever reaches the host and port can read and write every secret.`,
		Example: `  tokenkeep localstack
  tokenkeep localstack --port 0
  aws secretsmanager list-secrets --endpoint-url http://127.0.0.1:4566`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return g.serve(cmd, net.JoinHostPort(host, strconv.Itoa(int(port))))
		},
	}
	cmd.Flags().StringVar(&host, "host", "127.0.0.1", "`address` to listen on")
	cmd.Flags().Uint16Var(&port, "port", 4566, "`port` to listen on; 0 is a free one")
	return cmd
}

// serve runs a server until the command's context ends.
func (g *global) serve(cmd *cobra.Command, addr string) error {
	server, err := localstack.Start(localstack.WithAddr(addr))
	if err != nil {
		return fmt.Errorf("%w; choose another --host or --port", err)
	}
	defer server.Close()
	environment := []string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + server.URL,
		"AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test",
	}
	err = g.print(cmd, map[string]any{"url": server.URL, "environment": environment}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "A Secrets Manager is at %s, until Ctrl-C. For the programs that are to use it:\n\nexport %s\n",
			server.URL, strings.Join(environment, "\nexport "))
		return err
	})
	if err != nil {
		return errors.Join(errors.New("localstack: the address cannot be written"), err)
	}
	<-cmd.Context().Done()
	return nil
}
