package localstack_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

const boto3Program = `
import boto3
c = boto3.client("secretsmanager")
arn = c.create_secret(Name="py/a", SecretString="one", Tags=[{"Key": "k", "Value": "v"}])["ARN"]
c.create_secret(Name="py/b", SecretBinary=b"\x00\xff")
second = c.put_secret_value(SecretId=arn, SecretString="two")["VersionId"]
print(c.get_secret_value(SecretId="py/a")["SecretString"], c.get_secret_value(SecretId="py/b")["SecretBinary"])
print(c.get_secret_value(SecretId="py/a", VersionStage="AWSPREVIOUS")["SecretString"])
batch = c.batch_get_secret_value(SecretIdList=["py/a", "py/c"])
print([v["Name"] for v in batch["SecretValues"]], [e["ErrorCode"] for e in batch["Errors"]])
print([s["Name"] for p in c.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 1}) for s in p["SecretList"]])
print(c.describe_secret(SecretId=arn)["VersionIdsToStages"][second], c.describe_secret(SecretId=arn)["CreatedDate"].year > 2000)
c.delete_secret(SecretId=arn)
try:
    c.get_secret_value(SecretId=arn)
except c.exceptions.InvalidRequestException as e:
    print(e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Message"])
try:
    c.create_secret(Name="a b", SecretString="x")
except c.exceptions.ClientError as e:
    print(e.response["Error"]["Code"], e.response["Error"]["Message"][:13])
`

const boto3Output = `two b'\x00\xff'
one
['py/a'] ['ResourceNotFoundException']
['py/a', 'py/b']
['AWSCURRENT'] True
400 You can't perform this operation on the secret because it was marked for deletion.
ValidationException Invalid name.
`

func TestTheSDKForPythonIsAClientToo(t *testing.T) {
	if err := exec.Command("python3", "-c", "import boto3").Run(); err != nil {
		t.Skipf("left out: a run with the AWS SDK for Python, since python3 has no boto3: %v", err)
	}
	server := startServer(t)
	cmd := exec.CommandContext(t.Context(), "python3", "-c", boto3Program)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL_SECRETS_MANAGER="+server.URL, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != boto3Output {
		t.Errorf("boto3 printed\n%s%s%v; want\n%s", out, stderr.String(), err, boto3Output)
	}
}
