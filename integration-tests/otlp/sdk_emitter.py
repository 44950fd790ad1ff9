#!/usr/bin/env python3
"""Emits metrics by an unmodified OpenTelemetry SDK over OTLP (gRPC, or HTTP in protobuf), and prints what it sent.

    sdk_emitter.py --endpoint 127.0.0.1:4317 --service backend-api --temporality delta --exports 3

Each export follows one round of measurements: the counter `http_request_count` grows by --requests and `http_5xx_count` by
--errors, both with the attribute endpoint=--path; the gauge `db_connection_count` reads --connections; the histogram
`http_request_duration_ms`, which --histogram makes an exponential one, gets --requests values of --latency. Standard output is one JSON object:

    {"service": …, "temporality": …, "exports": 3, "failed_exports": 0, "requests": 300, "errors": 3,
     "connections": 42.0, "latency_ms": 120.0, "first_unix_ms": …, "last_unix_ms": …}

The totals are those of the exports that the server took. Exit code: 0, or 1 when an export failed.
"""

import argparse
import json
import sys
import time

import grpc
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression as HttpCompression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableGauge
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource

# Exports happen when flush() asks for them, not by the reader's own timer.
NEVER_MS = 3_600_000


class Counting:
    """What an exporter of the SDK does; remembers how its exports ended."""

    taken = 0
    failed = 0

    def export(self, *args, **kwargs):
        result = super().export(*args, **kwargs)
        if result is MetricExportResult.SUCCESS:
            self.taken += 1
        else:
            self.failed += 1
        return result


class CountingGrpcExporter(Counting, GrpcExporter):
    pass


class CountingHttpExporter(Counting, HttpExporter):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="host:port of the plain listener")
    parser.add_argument("--protocol", choices=("grpc", "http"), default="grpc")
    parser.add_argument("--histogram", choices=("explicit", "exponential"), default="explicit")
    parser.add_argument("--service", default="otel-service", help="service.name")
    parser.add_argument("--temporality", choices=("cumulative", "delta"), default="cumulative")
    parser.add_argument("--compression", choices=("none", "gzip"), default="none")
    parser.add_argument("--exports", type=int, default=3)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between exports")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds for one export with its retries")
    parser.add_argument("--requests", type=int, default=100, help="per export")
    parser.add_argument("--errors", type=int, default=1, help="per export")
    parser.add_argument("--connections", type=float, default=42.0)
    parser.add_argument("--latency", type=float, default=120.0, help="milliseconds")
    parser.add_argument("--path", default="/games")
    return parser.parse_args()


def make_exporter(arguments):
    delta = AggregationTemporality.DELTA
    cumulative = AggregationTemporality.CUMULATIVE
    chosen = delta if arguments.temporality == "delta" else cumulative
    exponential = arguments.histogram == "exponential"
    common = {
        "timeout": arguments.timeout,
        "preferred_temporality": {Counter: chosen, Histogram: chosen, ObservableGauge: cumulative},
        "preferred_aggregation": {
            Histogram: ExponentialBucketHistogramAggregation() if exponential else ExplicitBucketHistogramAggregation()
        },
    }
    gzip = arguments.compression == "gzip"
    if arguments.protocol == "http":
        compression = HttpCompression.Gzip if gzip else HttpCompression.NoCompression
        return CountingHttpExporter(
            endpoint=f"http://{arguments.endpoint}/v1/metrics", compression=compression, **common
        )
    compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
    return CountingGrpcExporter(endpoint=arguments.endpoint, insecure=True, compression=compression, **common)


def main():
    arguments = parse_arguments()
    exporter = make_exporter(arguments)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=NEVER_MS)
    provider = MeterProvider(
        resource=Resource.create({"service.name": arguments.service, "deployment.environment": "test"}),
        metric_readers=[reader],
    )
    meter = provider.get_meter("liveops.sdk_emitter")
    requests = meter.create_counter("http_request_count", unit="1")
    errors = meter.create_counter("http_5xx_count", unit="1")
    latency = meter.create_histogram("http_request_duration_ms", unit="ms")

    def connections(_: CallbackOptions):
        yield Observation(arguments.connections, {"pool": "main"})

    meter.create_observable_gauge("db_connection_count", callbacks=[connections], unit="1")

    attributes = {"endpoint": arguments.path}
    first_ms = last_ms = 0
    for i in range(arguments.exports):
        if i > 0:
            time.sleep(arguments.interval)
        requests.add(arguments.requests, attributes)
        errors.add(arguments.errors, attributes)
        for _ in range(arguments.requests):
            latency.record(arguments.latency, attributes)
        last_ms = time.time_ns() // 1_000_000
        first_ms = first_ms or last_ms
        provider.force_flush(int(arguments.timeout * 1000) + 1000)
    taken = exporter.taken
    failed = exporter.failed
    provider.shutdown()
    json.dump(
        {
            "service": arguments.service,
            "temporality": arguments.temporality,
            "exports": taken,
            "failed_exports": failed,
            "requests": taken * arguments.requests,
            "errors": taken * arguments.errors,
            "connections": arguments.connections,
            "latency_ms": arguments.latency,
            "first_unix_ms": first_ms,
            "last_unix_ms": last_ms,
        },
        sys.stdout,
    )
    print()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
