#!/bin/sh
# As Lambda's own starts Node: a twentieth of the memory for each half of the young generation and nine tenths for the
# old one, in MB, unless NODE_OPTIONS names either.
case "$NODE_OPTIONS" in
*-semi-space-size* | *-old-space-size*) set -- ;;
*)
  young=$((AWS_LAMBDA_FUNCTION_MEMORY_SIZE / 10))
  set -- --max-semi-space-size=$((young / 2)) --max-old-space-size=$((AWS_LAMBDA_FUNCTION_MEMORY_SIZE - young))
  ;;
esac
exec /var/lang/bin/node --expose-gc --max-http-header-size=81920 "$@" /var/runtime/node_modules/aws-lambda-ric/index.mjs
