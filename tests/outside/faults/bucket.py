"""A vault in a bucket of MinIO, as boto3 sees it."""

import os
import urllib.parse

import boto3
import ground
from botocore.config import Config

ENDPOINT, USER, SECRET = os.environ["S3_ENDPOINT"], os.environ["S3_USER"], os.environ["S3_SECRET"]
UPSTREAM = (urllib.parse.urlsplit(ENDPOINT).hostname, urllib.parse.urlsplit(ENDPOINT).port)
BUCKET = "faults"


def client():
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 8})
    s3 = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id=USER,
                      aws_secret_access_key=SECRET, config=config)
    if BUCKET not in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return s3


def env(url):
    """What the program needs to reach the store at this address."""
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": SECRET}


class Bucket:
    """Objects under one prefix. Every key must have one version and no delete marker: nothing was ever written twice."""

    def __init__(self, s3, prefix):
        self.s3, self.prefix = s3, prefix

    def objects(self, prefix):
        found, whole = {}, f"{self.prefix}/{prefix}"
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=whole):
            ground.hold(not page.get("DeleteMarkers"), f"delete markers: {page.get('DeleteMarkers')}")
            for version in page.get("Versions", []):
                key = version["Key"][len(self.prefix) + 1:]
                ground.hold(key not in found, f"{key} has more than one version")
                body = self.s3.get_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])["Body"]
                found[key] = body.read()
        return found
