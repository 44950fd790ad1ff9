#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace liveops::promises {

// One connection of an emitter that keeps sending, by one of the ways in. Its points are of a
// service of its own. One thread at a time.
class OverloadSender {
 public:
  static constexpr int kPoints = 1'000;  // of a request

  enum class Outcome {
    kAcknowledged,
    kLater,   // refused, to be sent again
    kBroken,  // anything else: `problem` says what
  };

  explicit OverloadSender(std::string service) : service_(std::move(service)) {}
  virtual ~OverloadSender() = default;

  // One request, all of whose points have the value `n`, and its answer.
  virtual Outcome Send(std::uint64_t n) = 0;

  const std::string& service() const { return service_; }
  const std::string& problem() const { return problem_; }

 protected:
  Outcome Broken(std::string problem) {
    problem_ = std::move(problem);
    return Outcome::kBroken;
  }

 private:
  const std::string service_;
  std::string problem_;
};

// Ingest.Write, Ingest.WriteSeries, OTLP/gRPC; `address`: of the plain gRPC listener.
std::unique_ptr<OverloadSender> WriteSender(const std::string& address, std::string service);
std::unique_ptr<OverloadSender> SeriesSender(const std::string& address, std::string service);
std::unique_ptr<OverloadSender> OtlpSender(const std::string& address, std::string service);
// Remote write 1.0; `address`: of the plain HTTP listener.
std::unique_ptr<OverloadSender> RemoteSender(const std::string& address, std::string service);

}  // namespace liveops::promises
