#!/bin/sh
# Makes the stand-in cluster, once: a kubeconfig, and one Deployment that was rolled out twice.
# usage: KUBECONFIG=FILE make-cluster.sh DEPLOYMENT IMAGE NEXT_IMAGE
set -eu
umask 077
[ -s "$KUBECONFIG" ] || echo 'standin-state: state.json' >"$KUBECONFIG"
kubectl-standin get deployment "$1" 2>/dev/null && exit 0
kubectl-standin create deployment "$1" --image="$2" --replicas=3
kubectl-standin set image "deployment/$1" "$1=$3"
kubectl-standin get deployment "$1"
