#!/usr/bin/env python3
"""Logs by an unmodified OpenTelemetry SDK over OTLP/gRPC, through Python's own logging, and prints what it sent.

    sdk_logger.py --endpoint 127.0.0.1:4317 --service backend-api --lines 100 --message "card {} declined"

Each line is an error with `http.route` = --route and the exception of a failed payment. --duration spreads the lines over
that time. Standard output is one JSON object:

    {"service": …, "lines": 100, "taken": 100, "failed": 0, "took_ms": …}

Exit code: 0, or 1 when a line was not taken.
"""

import argparse
import json
import logging
import sys
import time

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
from opentelemetry.sdk.resources import Resource

BATCH = 512  # lines of an export


class CountingExporter(OTLPLogExporter):
    """The SDK's exporter; remembers how its exports ended."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.taken = 0
        self.failed = 0

    def export(self, batch, **kwargs):
        result = super().export(batch, **kwargs)
        if result is LogRecordExportResult.SUCCESS:
            self.taken += len(batch)
        else:
            self.failed += len(batch)
        return result


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="host:port of the plain OTLP/gRPC listener")
    parser.add_argument("--service", default="otel-service", help="service.name")
    parser.add_argument("--compression", choices=("none", "gzip"), default="none")
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--message", default="card {} declined", help="{} becomes the number of the line")
    parser.add_argument("--route", default="/pay/:id")
    parser.add_argument("--duration", type=float, default=0.0, help="seconds over which the lines are spread")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for one export with its retries")
    return parser.parse_args()


def main():
    from grpc import Compression

    arguments = parse_arguments()
    exporter = CountingExporter(
        endpoint=arguments.endpoint,
        insecure=True,
        timeout=arguments.timeout,
        compression=Compression.Gzip if arguments.compression == "gzip" else Compression.NoCompression,
    )
    provider = LoggerProvider(
        resource=Resource.create({"service.name": arguments.service, "service.instance.id": "sdk-1"})
    )
    provider.add_log_record_processor(
        BatchLogRecordProcessor(
            exporter, schedule_delay_millis=200, max_queue_size=arguments.lines + BATCH, max_export_batch_size=BATCH
        )
    )
    logger = logging.getLogger("shop.payments")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(LoggingHandler(level=logging.DEBUG, logger_provider=provider))

    begun = time.monotonic()
    for i in range(arguments.lines):
        if arguments.duration > 0:
            time.sleep(max(0.0, begun + i * arguments.duration / arguments.lines - time.monotonic()))
        try:
            raise ValueError("insufficient funds")
        except ValueError:
            logger.exception(arguments.message.replace("{}", str(i)), extra={"http.route": arguments.route})
    provider.shutdown()
    json.dump(
        {
            "service": arguments.service,
            "lines": arguments.lines,
            "taken": exporter.taken,
            "failed": exporter.failed,
            "took_ms": round((time.monotonic() - begun) * 1000),
        },
        sys.stdout,
    )
    print()
    return 0 if exporter.taken == arguments.lines else 1


if __name__ == "__main__":
    sys.exit(main())
