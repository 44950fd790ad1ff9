#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/notifier/policy/facts.h"

namespace liveops::notifier {

enum class Language { kEnglish, kKorean, kBoth };
std::optional<Language> ParseLanguage(std::string_view word);  // "en", "ko", "both"

struct PageContribution {
  std::string label;  // "endpoint=/games"
  double value = 0;
  double share = 0;  // 0..1
};

struct PageChange {
  std::string description;
  Instant time{};
};

// A log line of the service.
struct PageLine {
  Instant time{};
  std::string endpoint;  // may be empty
  std::string message;
};

// A request of those that the alarm is about, to be found where traces are kept.
struct PageTrace {
  Instant time{};
  std::string operation;  // "GET /games/:id"; may be empty
  std::string value;      // "612 ms"
  bool failed = false;
  std::string trace_id;  // hexadecimal
};

enum class RemedyEnd {
  kOpen,
  kVerified,
  kIneffective,
  kUnknown,
  kFailed,
  kRefused,
  kExpired,
  kWithdrawn,
  kDenied,
};

// The prepared countermeasure as a page shows it.
struct PageRemedy {
  std::string id;
  std::string scenario;
  std::string description;  // "roll back deployment/backend-api from revision 43 to 42"
  std::string command;      // what will run, exactly
  std::string condition;    // what was seen
  std::string approver;     // who is asked
  Instant expires{};
  RemedyEnd end = RemedyEnd::kOpen;
  std::string end_detail;
  std::string approved_by;
};

// All that one message says, in the plan's and the engine's own words; the renderers clean, escape
// and cut. Times are domain time unless named real.
struct Page {
  Notice notice = Notice::kFiring;
  Phase phase = Phase::kFiring;
  bool may_repeat = false;
  std::string alarm_id;
  std::string service;
  std::string name;
  std::string labels;  // of the group, `{endpoint="/games"}`; may be empty
  Instant episode{};
  plan::Severity severity = plan::Severity::kMedium;
  std::optional<plan::Severity> severity_before;  // what was told here, where it was another
  std::uint32_t swings = 0;  // of a flapping episode: how often it opened; 0 = it does not flap
  Duration flaps_within{0};
  Duration quiet{0};
  std::uint64_t groups_refused = 0;  // of an overflow: how many groups, or series, are not watched
  std::optional<plan::Response> response;  // the plan's; without one the default of the severity
  std::string owner;                       // title where the plan has one
  std::string summary;
  std::string expression;
  std::string reason;
  std::string comparison = ">";
  std::string unit;
  std::string compared;  // "now 612 ms, 1d ago 300 ms", of a value in per cents of an earlier one
  double value = std::numeric_limits<double>::quiet_NaN();
  double value_low = std::numeric_limits<double>::quiet_NaN();
  double value_high = std::numeric_limits<double>::quiet_NaN();
  double threshold = std::numeric_limits<double>::quiet_NaN();
  double peak = std::numeric_limits<double>::quiet_NaN();
  Duration window{0};
  Duration hold{0};
  Duration duration{0};
  Instant since{};
  Instant clock{};
  RealTime clock_real{};
  std::uint64_t points = 0;
  std::uint64_t plan_version = 0;
  std::vector<PageContribution> top;
  std::vector<PageChange> changes;
  std::vector<PageLine> error_lines;  // the newest, oldest first; as far as they are at hand
  std::vector<PageTrace> traces;      // the most telling first; as far as they are at hand
  std::string runbook;
  // Of an alert that others judge: who, where, and the partition clock when it was last told.
  std::string origin;
  std::string link;
  Instant heard{};
  std::string acknowledged_by;
  std::vector<PageRemedy> remedies;  // of a remedy notice: that one alone
};

// PagerDuty's dedup_key: SHA-256, hex, of the alarm id and the episode. One alert an episode,
// whoever sends.
std::string DedupKey(std::string_view alarm_id, Instant episode);

}  // namespace liveops::notifier
