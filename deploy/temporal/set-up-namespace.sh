#!/bin/sh
# Makes the namespace and our search attributes where they are missing, and ends when the server knows all of them.
# What an operator changed since, such as the retention, stays. $TEMPORAL_ADDRESS and $TEMPORAL_NAMESPACE say where.
set -eu

retention=14d
attributes="Connection Flow SyncState HoldReason RecordKey"
tries=60

wait_until() { # WHAT COMMAND…
    what=$1
    shift
    tried=0
    until "$@" >/dev/null 2>&1; do
        tried=$((tried + 1))
        if [ "$tried" -ge "$tries" ]; then
            echo "gave up after $tries tries: $what; this is what the server says:" >&2
            "$@" >&2
            exit 1
        fi
        sleep 2
    done
}

wait_until "$TEMPORAL_ADDRESS does not answer" temporal operator cluster health
if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
fi
# A new namespace is known everywhere only after some seconds.
wait_until "the namespace is not there yet" temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"
present=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE")
for attribute in $attributes; do
    if ! echo "$present" | grep -qw "$attribute"; then
        temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$attribute" --type Keyword
    fi
done
for attribute in $attributes; do
    wait_until "the search attribute $attribute is not there yet" \
        temporal workflow count --namespace "$TEMPORAL_NAMESPACE" --query "$attribute = 'nothing'"
done
echo "namespace $TEMPORAL_NAMESPACE is ready"
