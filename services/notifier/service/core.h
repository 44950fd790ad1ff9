#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/base/epoch_filter.h"
#include "common/http/http.h"
#include "common/runtime/ownership.h"
#include "common/runtime/process.h"
#include "common/telemetry/metrics.h"
#include "services/notifier/policy/pipeline.h"
#include "services/notifier/service/compose.h"
#include "services/notifier/service/ledger.h"
#include "services/notifier/service/registry.h"
#include "services/notifier/service/settings.h"

namespace liveops::notifier {

inline constexpr Duration kLease{5'000};             // a new owner waits so long (steady)
inline constexpr Duration kAttemptGood{4'000};       // a clock that counts suspension
inline constexpr Duration kRequestTimeout{3'000};    // or what is left of the attempt's lease
inline constexpr Duration kRequestShortest{1'000};   // with less left, nothing is begun
inline constexpr Duration kReadBackPatience{5'000};  // steady: then who owns the partition is asked
// Steady: so long after a partition began to drain, no request is under way any more.
inline constexpr Duration kDrained = kRequestTimeout + Duration(500);

// The clocks that an event is seen at.
struct Now {
  SteadyTime steady{};
  Duration boot{};  // CLOCK_BOOTTIME
};

// --- effects: what the loops must do, in this order ---

struct WriteRecord {  // to notifications.v1
  std::int32_t partition = 0;
  std::string key;
  std::string value;  // empty = tombstone
  std::int64_t epoch = 0;
  std::string traceparent;
  std::string destination;  // whose it is, for OnWriteFailed
  std::string group;
  bool attempt = false;
};
struct SendRequest {
  std::uint64_t token = 0;  // given back by OnAnswer
  http::Request request;
  Duration good_until{};  // on the clock that counts suspension: not to be begun later
};
struct DedupQuestion {
  std::int32_t partition = 0;
  std::int64_t epoch = 0;
  std::string group;
  std::string alarm_id;
  std::string destination;
};
struct DedupWindow {
  std::string alarm_id;
  std::string destination;
  Instant until{};
};
struct DedupStore {  // `rebuild`: all windows of the partition, then the generation mark
  std::int32_t partition = 0;
  std::int64_t epoch = 0;
  bool rebuild = false;
  std::vector<DedupWindow> windows;
};
// Another claim stands in the log after ours, or what we write does not come back: is the partition
// still ours? To be answered by OnOwned or OnLost once it has drained (Drained).
struct Reclaim {
  std::int32_t partition = 0;
};
struct DeadLetterNote {  // a notice that will never be sent, or a record that cannot be read
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = -1;  // -1: a notice, which stands nowhere as it is
  std::string key;
  std::string value;
  std::string why;
};
struct LogLine {
  bool warn = false;
  std::string event;
  std::string alarm_id;
  std::string destination;
  std::string notice;
  std::int64_t attempt = 0;
  std::int64_t latency_ms =
      -1;  // from the deciding record to the answer, by wall clocks; -1 = not sensible
  std::string detail;
  std::string trace_id;
};
using Effect = std::variant<WriteRecord, SendRequest, DedupQuestion, DedupStore, Reclaim,
                            DeadLetterNote, LogLine>;
using Effects = std::vector<Effect>;

struct Counters {
  std::int64_t attempts = 0;
  std::int64_t delivered = 0;
  std::int64_t failed = 0;
  std::int64_t unknown = 0;
  std::int64_t rejected = 0;
  std::int64_t superseded = 0;
  std::int64_t lapsed = 0;  // attempts that were read back too late to be used, or never
  std::int64_t dedup_held = 0;
  std::int64_t poison = 0;
};

// The notifier without threads, sockets and clocks: events in, effects out. It keeps the desired
// state, the delivered state of the partitions that this process owns, and the requests under way.
// One thread at a time.
class Core {
 public:
  Core(Settings settings, TimeMap time_map, std::int32_t partitions, runtime::Writer& writer);

  // --- desired state ---
  Effects OnAlarms(const kafka::Record& record, Now now);
  Effects OnOperations(const kafka::Record& record, Now now);
  Effects OnRemediations(const kafka::Record& record, Now now);
  Effects OnCaughtUp(Now now);  // once: history is read to its end
  bool caught_up() const { return caught_up_; }

  // --- ownership of partitions of notifications.v1 ---
  Effects OnOwned(std::int32_t partition, std::int64_t epoch, const Ledger& ledger, Now now);
  // Nothing new starts, and what was not sent yet is taken back; what was sent is waited for by the
  // caller (RequestsUnderWay), so that finished work is recorded before the partition goes.
  Effects StartDraining(std::int32_t partition, Now now);
  int RequestsUnderWay(std::int32_t partition) const;
  // A Reclaim of it is not answered yet.
  bool InDoubt(std::int32_t partition) const;
  // It drains and nothing is under way, or nothing can be any more.
  bool Drained(std::int32_t partition, Now now) const;
  // The last record of an owner that lets go in order. None while a request is under way (with its
  // end unknown the successor must wait the lease out), and none when the claim is in doubt.
  Effects Release(std::int32_t partition);
  void OnLost(std::int32_t partition);
  std::int64_t EpochOf(std::int32_t partition) const;  // -1 when not owned

  // --- the loop of an attempt ---
  Effects OnNotification(const kafka::Record& record, Now now);  // the read-back
  Effects OnAnswer(std::uint64_t token, const http::Outcome& outcome, Now now,
                   std::int64_t wall_unix_ms);
  Effects OnWriteFailed(const std::string& destination, const std::string& group, bool attempt,
                        Now now);
  Effects OnDedup(const DedupQuestion& question, DedupView::State state, Instant until,
                  bool rebuild, Now now);

  // --- time ---
  std::optional<SteadyTime> NextWake() const;
  Effects OnTime(Now now);

  Registry& registry() { return registry_; }
  Instant DomainClock(Now now) const { return DomainNow(now); }
  const Counters& counters() const { return counters_; }
  // From the record that decided a page to the provider's answer, by wall clocks, where that is
  // sensible. Thread-safe.
  const metrics::Seconds& page_latency() const { return page_latency_; }
  std::vector<v1::DeliveryState> Deliveries(std::string_view alarm_id) const;
  std::size_t Waiting() const;  // (group, destination) pairs that are not settled

 private:
  struct InFlight {
    std::uint64_t token = 0;
    std::uint64_t sequence = 0;  // of the attempt's record: recognises the read-back
    NoticeDecision notice;
    Message message;
    Duration begun{};  // clock that counts suspension
    bool sent = false;
  };
  struct Entry {
    Destination destination;
    std::string group;
    std::string alarm_id;
    Instant episode{};
    Delivered delivered;
    std::optional<InFlight> in_flight;
    std::optional<SteadyTime> last_attempt;
    DedupView dedup;
    Priority priority;
    bool active = false;
    bool state_unsaved = false;  // writing it failed: to be written again
  };
  struct DestinationState {
    std::int32_t partition = 0;
    Pace pace;
    std::set<Priority> active;  // groups that are not settled, by who goes first
    std::optional<SteadyTime> wake;
  };
  struct Partition {
    std::int64_t epoch = -1;
    std::string claim_key;
    SteadyTime act_from{};
    bool draining = false;
    SteadyTime draining_since{};
    // A newer claim was read, or our own records do not come back: what is written now may be void,
    // so nothing is until OnOwned.
    bool fenced = false;
    EpochFilter filter;
    std::map<std::string, std::map<std::string, Entry>> entries;  // destination id -> group -> …
  };

  struct Token {
    std::string destination;
    std::string group;
    std::optional<SteadyTime> read_by;  // until the attempt's record is read back
  };

  Effects Apply(const Applied& applied, const kafka::Record& record, Now now);
  void Touch(const std::string& group, std::set<std::string>& destinations, Effects& out);
  void TouchAll(std::set<std::string>& destinations, Effects& out);
  void Pump(const std::string& destination, Now now, Effects& out);
  void PumpAll(const std::set<std::string>& destinations, Now now, Effects& out);
  // True = decide again at once.
  bool Act(Entry& entry, DestinationState& state, Partition& partition, const Step& step, Now now,
           Effects& out);
  Step Decide(const Entry& entry, const DestinationState& state, const Partition& partition,
              Now now);
  void StartAttempt(Entry& entry, DestinationState& state, Partition& partition,
                    const NoticeDecision& notice, Now now, Effects& out);
  void RecordOnly(Entry& entry, Partition& partition, const Step& step, Effects& out, Now now);
  void Settle(Entry& entry, Partition& partition, const Reading& reading, Now now,
              std::int64_t wall_unix_ms, Effects& out);
  void DeadLetter(const Entry& entry, const std::string& why, Effects& out);
  void LogOutcome(const Entry& entry, const NoticeDecision& notice, const Reading& reading,
                  std::int64_t wall_unix_ms, Effects& out);
  void WriteState(Entry& entry, const Partition& partition, Effects& out);
  void NoteWindow(const Entry& entry, const Partition& partition, const NoticeDecision& notice,
                  Effects& out, Now now);
  void RebuildWindows(std::int32_t partition, Now now, Effects& out);
  std::optional<Partition> Forget(std::int32_t number);
  SteadyTime ActFrom(const Ledger& ledger, std::int64_t epoch, const Partition* before,
                     Now now) const;
  void AdoptEntries(std::int32_t number, Partition& owned, const Ledger& ledger,
                    const Partition* before, Now now, Effects& out);
  void Adopt(Entry& entry, const Ledger::Entry& known, const Entry* before, Instant now);
  void AdoptDangling(Entry& entry, const v1::Attempt& dangling, Instant now);
  void Drain(Partition& partition, Now now, Effects& out);
  void Fence(std::int32_t number, Partition& partition, const char* why, Now now, Effects& out);
  void TakeBack(Entry& entry, Partition& partition, const std::string& why, Effects& out);
  void ExpireUnread(Now now, Effects& out);
  void RewriteValid(std::int32_t number, Partition& partition, const std::string& key,
                    Effects& out);
  static Entry* FindByKey(Partition& partition, const std::string& key);
  bool Draining(std::int32_t partition) const;
  void Anchor(Instant clock, Now now);
  Entry& EntryOf(Partition& partition, const Group& group, const Destination& destination);
  void Activate(Entry& entry);
  void LookAgainIn(DestinationState& state, SteadyTime at);
  void Sweep(Now now, Effects& out);
  void Log(Effects& out, bool warn, std::string event, const Entry& entry, std::string detail);
  Entry* FindEntry(const std::string& destination, const std::string& group);
  DestinationState& StateOf(const Destination& destination);
  Instant DomainNow(Now now) const { return clock_.Now(now.steady); }
  bool Routed(const Group& group, const Destination& destination);
  std::string TraceIdOf(const std::string& group) const;

  Settings settings_;
  TimeMap time_map_;
  std::int32_t partition_count_;
  runtime::Writer& writer_;
  Registry registry_;
  runtime::SteadyDomainClock clock_;
  bool clock_is_guess_ = false;  // anchored by history alone
  Instant newest_clock_{};
  bool caught_up_ = false;
  std::map<std::int32_t, Partition> partitions_;
  std::map<std::string, DestinationState> destinations_;
  std::map<std::uint64_t, Token> tokens_;  // of the attempts that are in flight
  std::uint64_t last_token_ = 0;
  std::set<std::string> unroutable_;  // groups already complained about
  std::optional<SteadyTime> next_sweep_;
  Counters counters_;
  metrics::Seconds page_latency_;
};

}  // namespace liveops::notifier
