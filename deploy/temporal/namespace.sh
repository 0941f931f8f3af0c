#!/bin/sh
# The namespace and the attributes that operators search executions by; what is there already is left alone.
set -eu
until temporal operator cluster health; do sleep 1; done
temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
  temporal operator namespace create --namespace default --retention 30d
until temporal operator search-attribute list --namespace default >/dev/null 2>&1; do sleep 1; done
for name in TenantId Capability Phase Outcome; do
  temporal operator search-attribute list --namespace default | grep -qw "$name" ||
    temporal operator search-attribute create --namespace default --name "$name" --type Keyword
done
