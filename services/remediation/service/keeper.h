#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/kafka/kafka.h"
#include "common/runtime/ownership.h"
#include "common/runtime/process.h"
#include "services/remediation/action/tool.h"
#include "services/remediation/policy/guardrails.h"
#include "services/remediation/policy/ledger.h"
#include "services/remediation/policy/step.h"
#include "services/remediation/service/codec.h"
#include "services/remediation/service/scenarios.h"
#include "services/remediation/service/worker.h"

namespace liveops::remediation {

// A steady clock that also counts while the machine is suspended (CLOCK_BOOTTIME): leases are
// reckoned by it.
SteadyTime LeaseClockNow();

// How long after its end a remediation is listed, in domain time. The log keeps it without end.
inline constexpr Duration kKeepClosed{30LL * 24 * 3600 * 1000};

struct KeeperOptions {
  std::int32_t partitions = 16;
  std::string ns = "default";  // of targets that cannot even be named
  Guardrails guardrails;
  Duration run_timeout{30'000};  // of the tool, steady
  Duration lease{
      10'000};  // an own intent may start its effect so long after it was written, steady
  Duration claim_wait{5'000};     // after a claim, unless the former owner released; steady
  Duration resolve_pause{2'000};  // between tries of a resolution that may yet succeed
  int resolve_tries = 5;
  std::function<SteadyTime()> now = LeaseClockNow;
};

// Why a call was not granted; `precondition` = the state does not allow it, and trying again does
// not help.
struct CallError {
  Error error;
  bool precondition = false;
};
struct CallAnswer {
  Remediation remediation;
  bool already = false;
};
using CallResult = std::variant<CallAnswer, CallError>;

// All that one replica knows of remediations, and what it does about those whose targets it owns.
//
// The log is folded whole (remediations.v1 and alarms.v1, every partition); after each record and
// at each Tick the policy says what comes next for each open remediation of an owned partition.
// Nothing is remembered that the log does not hold, but what this process has under way itself
// ("flights").
//
// Thread-safe. It calls the tool only from jobs.
class Keeper {
 public:
  // All references must outlive it, and every job.
  Keeper(KeeperOptions options, const TimeMap& time_map, runtime::Writer& writer,
         kafka::Producer& producer, Tool& tool, Jobs& jobs);

  // --- what the logs say (one thread, log order per partition) ---
  void OnAlarm(const kafka::Record& record);
  void OnRemediation(const kafka::Record& record);
  void CaughtUp();  // both logs were read to the ends that they had at the start
  void Tick();      // time passed

  // --- ownership (the group's thread) ---
  std::string EncodeClaim();
  void Claimed(std::int32_t partition, std::int64_t epoch, SteadyTime claimed_at);
  std::vector<std::int32_t> NeedClaim();  // a newer claim was read: claim anew or let go
  struct Release {
    std::string key;
    std::string value;
    std::int64_t epoch = -1;
  };
  // The partition is lost or given up. Gives the record that tells the successor not to wait; none
  // when an effect may be under way, or when it was not owned.
  std::optional<Release> Revoked(std::int32_t partition);
  std::int64_t Position(std::int32_t partition);  // next offset of remediations.v1 to be folded

  // --- calls (any thread) ---
  Result<std::vector<Remediation>> List(bool open_only);  // newest last
  // With the serialized records that made it. kNotFound; kInvalid: a prefix that is too short or
  // fits several.
  Result<std::pair<Remediation, std::vector<std::string>>> Get(const std::string& id);
  // Appends and answers once the record was read back and folded.
  CallResult Approve(const std::string& id, const std::string& digest, const std::string& who);
  CallResult Deny(const std::string& id, const std::string& who, const std::string& reason);

  struct PartitionView {
    std::int32_t partition = 0;
    std::int64_t epoch = -1;  // -1 = not acting for it
    std::int64_t position = 0;
  };
  std::vector<PartitionView> Partitions();
  Instant ClockNow();
  bool caught_up();
  std::map<std::string, double> Counters();

  // --- stopping ---
  void Stop();     // begins nothing new; results of what runs are still recorded
  void Abandon();  // results are dropped from now on: the successor will read back

 private:
  struct Claim {
    std::int64_t offset = -1;
    std::uint64_t session = 0;
    std::string key;
    bool released = false;
    bool lease_free = false;  // no former owner can still be at work
  };
  struct Partition {
    EpochFilter filter;
    std::optional<Claim> claim;  // the newest
    std::int64_t position = 0;
    std::int64_t epoch = -1;  // ours; -1 = none
    SteadyTime claimed_at{};
    bool need_claim = false;
  };
  enum class FlightKind { kResolving, kRecording, kIntending, kRunning, kReadingBack, kHaveResult };
  struct Flight {
    FlightKind kind = FlightKind::kResolving;
    std::int32_t partition = 0;
    std::uint64_t sequence = 0;  // of the record that we wait to read back
    SteadyTime since{};
    std::optional<std::variant<Effect, Outcome>> result;
  };
  struct Retry {
    int tries = 0;
    SteadyTime not_before{};
  };

  // All of these need the lock.
  Partition& At(std::int32_t partition) {
    return partitions_.at(static_cast<std::size_t>(partition));
  }
  bool Acting(std::int32_t partition);
  void Anchor(Instant clock, SteadyTime seen);
  void OnClaim(Partition& part, const kafka::Record& record, std::uint64_t session);
  void Fold(Partition& part, const kafka::Record& record, const v1::RemediationRecord& proto);
  void StepAll();
  void StepOne(const std::string& id);
  StepInput InputFor(const Remediation& r, const Partition& part);
  bool AnotherIntends(const Remediation& r) const;
  void ProposeDue();
  void ForgetOld();
  void StartResolving(const std::string& id, const Scenarios::Scenario& scenario,
                      const plan::Remediation& remedy, const std::string& key,
                      std::int32_t partition);
  void StartRun(const Remediation& r, std::int64_t epoch);
  void StartReadBack(const Remediation& r);
  void StartProbe(const Remediation& r);
  // Over how many partitions the plan in force spreads the service.
  std::int32_t SpreadOf(std::string_view service) const;
  void RecordResult(const std::string& id);
  // Appends under our claim; the flight ends when the record was read back.
  std::uint64_t Append(const std::string& id, std::int32_t partition, const Body& body,
                       Instant clock);
  void TakeFailures();
  std::string TraceOf(const std::string& id) const;
  Result<const Remediation*> FindOne(const std::string& id);

  // Jobs; these take the lock themselves.
  void Resolved(const std::string& id, const std::string& alarm_id,
                const std::vector<std::string>& arguments, Result<Action> action);
  void RunJob(const std::string& id, std::int32_t partition, std::int64_t epoch, Action action,
              SteadyTime deadline, bool probe);
  void ReadBackJob(const std::string& id, const Action& action, bool probe);
  void Finish(const std::string& id, std::variant<Effect, Outcome> result);
  void DropFlight(const std::string& id);
  bool StillOurs(std::int32_t partition, std::int64_t epoch);
  Result<Tool::Observation> ReadBackWithPatience(const Action& action);

  Result<std::int64_t> AppendCall(const Remediation& r, const Body& body);
  bool WaitFolded(std::unique_lock<std::mutex>& lock, std::int32_t partition, std::int64_t offset);

  const KeeperOptions options_;
  const TimeMap time_map_;
  runtime::Writer& writer_;
  kafka::Producer& producer_;
  Tool& tool_;
  Jobs& jobs_;

  std::mutex mutex_;
  std::condition_variable folded_;
  std::vector<Partition> partitions_;
  Ledger ledger_;
  Scenarios scenarios_;
  runtime::SteadyDomainClock clock_;
  std::map<std::string, std::vector<std::string>> history_;
  std::map<std::string, std::string> traces_;
  std::map<std::string, Flight> flights_;
  std::map<std::string, Retry> retries_;
  std::map<std::string, SteadyTime>
      intent_seen_;  // intents of others, first seen while we own them
  std::map<std::string, std::int32_t> probes_started_;  // in how many partitions
  std::map<std::string, double> counters_;
  Instant forget_at_{};          // when to look again for what is old
  Instant latest_append_{};      // newest broker's stamp seen, as domain time
  bool clock_is_guess_ = false;  // anchored by history alone
  bool caught_up_ = false;
  bool stopping_ = false;
  bool abandoned_ = false;

  // Deliveries that failed, told by the producer's thread, which may be inside Produce under our
  // lock.
  std::mutex failures_mutex_;
  std::vector<std::pair<std::string, std::uint64_t>> failures_;
};

}  // namespace liveops::remediation
