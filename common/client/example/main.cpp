// A service that sends its metrics to LiveOps, in what a service needs for it: copy from here.
//
//   liveops-example-emitter ADDRESS [SERVICE]     until SIGTERM or Ctrl-C
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

#include "common/client/client.h"

namespace client = liveops::client;

namespace {
std::atomic<bool> stopping{false};
}

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: liveops-example-emitter ADDRESS [SERVICE]\n", stderr), 2;
  signal(SIGTERM, [](int) { stopping = true; });
  signal(SIGINT, [](int) { stopping = true; });

  // One client a process. While LiveOps is away it keeps up to `waiting_points`, then gives up the
  // oldest: it never blocks the service, and never takes more memory than that.
  client::Options options;
  options.address = argv[1];  // beyond this host also options.tls: ca, cert and key
  options.service = argc > 2 ? argv[2] : "example";
  options.emitter = "example-0";  // this instance, e.g. its host name
  options.waiting_points = 10'000;
  const auto liveops = client::Client::Start(options);

  // Each series once, at the start; a label has few values: a route, never a user.
  using client::Kind;
  const auto requests =
      liveops->Define({"http_request_count", "1", Kind::kCounterDelta, {{"endpoint", "/cart"}}});
  const auto latency = liveops->Define(
      {"http_request_duration_ms", "ms", Kind::kObservation, {{"endpoint", "/cart"}}});
  const auto connections = liveops->Define({"db_connection_count", "1", Kind::kGauge, {}});

  std::mt19937 random(1);
  std::lognormal_distribution<double> milliseconds(3, 0.5);
  for (int i = 0; !stopping; ++i) {
    liveops->Record(latency, milliseconds(random));  // of each request: LiveOps makes quantiles
    liveops->Record(requests, 1);                    // an increase, not a total
    if (i % 10 == 0) liveops->Record(connections, 20 + random() % 5);  // a reading, now and then
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  // A clean stop: what was recorded goes out, for as long as a stop may take.
  const bool all = liveops->Flush(liveops::Duration(5'000));
  const client::Statistics sent = liveops->statistics();
  std::printf("accepted %llu, given up %llu, waiting %zu\n",
              static_cast<unsigned long long>(sent.accepted),
              static_cast<unsigned long long>(sent.given_up), sent.waiting);
  for (const auto& [reason, points] : sent.refused) {  // a mistake of ours: to be looked at
    std::printf("refused %llu, %s: %s\n", static_cast<unsigned long long>(points), reason.c_str(),
                sent.examples.at(reason).c_str());
  }
  return all && sent.refused.empty() ? 0 : 1;
}
