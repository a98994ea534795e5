#!/bin/sh
# LocalStack runs this each time that it becomes ready.
set -eu
awslocal s3api create-bucket --bucket "$BUCKET"
