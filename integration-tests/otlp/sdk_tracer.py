#!/usr/bin/env python3
"""Makes spans by an unmodified OpenTelemetry SDK over OTLP/gRPC, and prints what it sent.

    sdk_tracer.py --endpoint 127.0.0.1:4317 --service orders --messages 100 --errors 50 --took 120

Each message is a span of kind CONSUMER, `orders process`, that took so many milliseconds, with an INTERNAL span inside; they end
20 ms apart, the last one now, the first --errors of them with an error. Standard output is one JSON object: {"service": …, "messages": 100, "failed": 0}. Exit code: 0,
or 1 when an export failed.
"""

import argparse
import json
import sys
import time

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context


class CountingExporter(OTLPSpanExporter):
    """The SDK's exporter; remembers what it could not send."""

    failed = 0

    def export(self, spans):
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.failed += len(spans)
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="host:port of the plain OTLP/gRPC listener")
    parser.add_argument("--service", required=True, help="service.name")
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--errors", type=int, default=0)
    parser.add_argument("--took", type=float, default=120.0, help="milliseconds")
    arguments = parser.parse_args()

    exporter = CountingExporter(endpoint=arguments.endpoint, insecure=True, timeout=10)
    provider = TracerProvider(resource=Resource.create({"service.name": arguments.service}))
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=4 * arguments.messages + 512))
    tracer = provider.get_tracer("liveops.sdk_tracer")
    now = time.time_ns()
    for i in range(arguments.messages):
        end = now - 20_000_000 * (arguments.messages - 1 - i)
        start = end - int(arguments.took * 1_000_000)
        span = tracer.start_span("orders process", kind=SpanKind.CONSUMER, start_time=start)
        tracer.start_span("charge", context=set_span_in_context(span), start_time=start).end(end)
        if i < arguments.errors:
            span.set_status(Status(StatusCode.ERROR, "declined"))
        span.end(end)
    provider.force_flush()
    provider.shutdown()
    json.dump({"service": arguments.service, "messages": arguments.messages, "failed": exporter.failed}, sys.stdout)
    print()
    return 1 if exporter.failed else 0


if __name__ == "__main__":
    sys.exit(main())
