"""The server of the local AWS. It runs in the environment of infra/local/requirements.txt, which has no boto3."""
