#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/result.h"
#include "deploy/local/stack/stack.h"
#include "liveops/v1/ingest.grpc.pb.h"

namespace liveops::bench {

// The population that loaded figures are measured under: services of 5 instances with 20 series
// each (6 `http_requests_total` by `code`, 12 cumulative `http_request_duration_seconds_bucket` by
// `le`, `cpu`, `memory`; labels service, instance, region, env), a sample of each every 5 s, and
// one rule a service. A record is of one service, so a batch is one service's 100 samples. svc-0
// alone is unhealthy.
struct LoadOptions {
  int services = 1000;
  Duration period{5'000};
  // Write the records that ingest would write, without going through it.
  bool into_the_log = false;
};

// The sandbox as it is, but that notifier sends as fast as it can.
stack::StackOptions Unthrottled(const std::string& dir);

std::string ServiceName(int service);
// The plan of one service: by its number, 5xx over 3 min above 5 %, p95 over 5 min above 0.8 s, or
// the average cpu by instance over 5 min above 90.
std::string PlanOfService(int service);
// All of them into force, as the operator. kInternal: one was refused.
Status ApplyPlans(stack::Stack& stack, const LoadOptions& options);

// The ledger of pages: svc-0's alarm was told, and nobody else's; those of page_latency.h aside.
Status CheckPages(stack::Stack& stack);

// Where the load goes; load_carrier.h. One thread at a time.
class LoadCarrier {
 public:
  virtual ~LoadCarrier() = default;
  // False: there is no more to be sent, Finish says why.
  virtual bool Send(const v1::WriteRequest& request) = 0;
  // All that was sent was taken: as many points as `sent`.
  virtual Status Finish(std::uint64_t sent) = 0;
};

// Sends the population until it is stopped, evenly spread over each period. Thread-safe.
class LoadSender {
 public:
  LoadSender(stack::Stack& stack, const LoadOptions& options);
  ~LoadSender();  // Stop()
  LoadSender(const LoadSender&) = delete;
  LoadSender& operator=(const LoadSender&) = delete;

  // kInternal: points were refused, the way broke, or the sender fell behind by more than a period.
  Status Stop();
  std::uint64_t sent() const { return sent_; }  // points

 private:
  void Run();

  const LoadOptions options_;
  std::unique_ptr<LoadCarrier> carrier_;
  std::vector<v1::WriteRequest> requests_;  // by service
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> sent_{0};
  Status outcome_;
  std::thread thread_;
};

}  // namespace liveops::bench
