#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc/server.h"
#include "deploy/local/stack/stack.h"

namespace liveops::v1 {
class ShardRecord;
}

namespace liveops::outages {

// True as soon as `reached` is, false when it was not within `timeout`.
bool Await(Duration timeout, const std::function<bool()>& reached);
int SinceMs(SteadyTime begin);

// What an emitter heard to one write.
struct Heard {
  std::uint64_t sequence = 0;
  int code = 0;  // gRPC's
  std::string message;
  bool retry_info = false;  // google.rpc.RetryInfo came with it
  SteadyTime sent{};
  Duration took{0};
};

// Writes one reading of the gauge `x{host=…}` every 100 ms by Ingest.Write, or one observation of
// it in ms, one after another, each once: what was refused is not sent again, so that every
// acknowledged sequence must stand in the log by its own write.
class Emitter {
 public:
  Emitter(const std::string& address, std::string service, std::string host, double value,
          bool observes = false);
  ~Emitter();  // Stop

  void Set(double value) { value_ = value; }
  void Stop();
  std::vector<Heard> heard() const;
  std::uint64_t session() const { return session_; }
  const std::string& service() const { return service_; }

 private:
  void Loop(const std::string& address);

  const std::string service_;
  const std::string host_;
  const bool observes_;
  const std::uint64_t session_;
  std::atomic<double> value_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<Heard> heard_;
  std::thread thread_;
};

// What the providers were told of one service.
struct Told {
  int slack = 0;     // messages that were posted
  int opened = 0;    // alerts in PagerDuty
  int triggers = 0;  // requests to open one, merged ones too
  int resolves = 0;
  std::set<std::string> dedup_keys;  // of all PagerDuty requests
  std::string all;                   // for people
};

struct Alarm {
  std::string state;  // "ALARM_STATE_FIRING"
  std::string episode;
  double value = 0;  // 0 also where there is none
};

inline constexpr const char* kFiring = "ALARM_STATE_FIRING";
inline constexpr const char* kOk = "ALARM_STATE_OK";

// Cases of one suite on one stack.
class Ground : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  // Likewise, on a stack of these options; its folder is chosen here.
  static void SetUpOn(stack::StackOptions options);
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;  // no service has ended on its own

  static stack::Stack& Stack() { return *stack_; }
  // A plan of one alarm `hot` that pages on-call by PagerDuty and Slack; `more` stands at its top.
  static std::string PlanOf(const std::string& service, const std::string& when,
                            const std::string& more = "");
  // Returns once the plan is in force: its alarm is listed.
  static void Apply(const std::string& service, const std::string& plan);
  static void ApplyOnly(const std::string& service, const std::string& plan);  // does not wait
  static std::unique_ptr<Emitter> Emit(const std::string& service, const std::string& host,
                                       double value);
  // `liveopsctl alarms explain --at` that moment, as a viewer; a failure is added to the test's.
  static std::string ExplainedAt(const std::string& alarm_id, std::int64_t at_ms);
  // The alarm `hot` of a plan that says `by host`, for host a.
  static std::string IdOf(const std::string& service) { return service + "/hot{host=\"a\"}"; }
  static Told ToldOf(const std::string& service);
  // By id, closed ones too. Tries again while the answer is no whole list, for 15 s.
  static std::map<std::string, Alarm> Alarms();
  // Lists are answered from Redis, which a page does not wait for.
  static bool AwaitState(const std::string& alarm_id, const std::string& state);
  // The service's batches in metrics.v1.
  static Status ReadLog(const std::string& service,
                        const std::function<void(const v1::ShardRecord&)>& each);
  // How often each sequence of that session stands in metrics.v1.
  static Result<std::map<std::uint64_t, int>> InLog(const std::string& service,
                                                    std::uint64_t session);
  // Points of that service in metrics.v1.
  static Result<std::vector<double>> PointsInLog(const std::string& service);
  static rpc::TlsFiles Tls(const std::string& person);

 private:
  static std::unique_ptr<stack::Stack> stack_;
};

// What grpc.health.v1.Health/Check answers: "SERVING", "NOT_SERVING", or why there is no answer.
std::string HealthOf(const std::string& address, const rpc::TlsFiles& tls);

// One call with these bytes as its message; the status.
struct RawAnswer {
  int code = 0;
  std::string message;
  std::string body;
};
RawAnswer CallRaw(const std::string& address, const rpc::TlsFiles& tls, const std::string& method,
                  const std::string& body);

// A fresh folder for this process.
std::string FolderOf(const std::string& name);

}  // namespace liveops::outages
