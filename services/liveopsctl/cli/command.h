#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/log_level.h"
#include "common/base/time.h"

// What a command line asks for, as plain values. Made by Parse (cli/parse.h).
namespace liveops::ctl {

// Exit codes, the same for every command and written in --help.
inline constexpr int kExitOk = 0;
inline constexpr int kExitNo = 1;     // the answer is no: problems, not found, denied, not ready
inline constexpr int kExitUsage = 2;  // the command line or the configuration is wrong
inline constexpr int kExitUnreachable = 3;  // the server could not be reached or cannot serve now

// Options of every command; "" = not given.
struct Globals {
  std::string config;
  std::string ingest;
  std::string evaluation;
  std::string notifier;
  std::string remediation;
  std::string ca;
  std::string cert;
  std::string key;
  bool json = false;
  Duration timeout{10'000};  // of one call
};

// What plans are played on: a recording, or the log of the service's samples in Kafka.
struct PlayedSource {
  std::string data;   // recorded incident; "" = Kafka
  std::string kafka;  // HOST:PORT; "" = as configured
  std::optional<std::int64_t> from_ms;
  std::optional<std::int64_t> to_ms;
  std::optional<Duration> last;
};
struct PlanCheck {
  std::string file;
  bool live = false;    // also against what the service really sends
  PlayedSource source;  // with `live`: Kafka's log
};
struct PlanTest {
  std::vector<std::string> files;
};
struct PlanBacktest {
  std::string plan;
  PlayedSource source;
  std::string expect;  // "" = only tell
};
struct PlanDiff {
  std::string before;
  std::string after;
  PlayedSource source;
};
struct PlanApply {
  std::string file;
  std::optional<std::uint64_t> expect_version;  // 0 = none yet; nullopt = whatever it is
};
struct PlanDrift {
  std::vector<std::string> files;
};
struct PlanExport {
  std::string service;
  std::uint64_t version = 0;  // 0 = the one in force
};
struct PlanShow {
  std::string service;        // "" = list all
  std::uint64_t version = 0;  // 0 = the newest
};
struct AlarmsList {
  std::string service;  // "" = all
  bool all = false;     // closed ones too
};
struct SlosList {
  std::string service;  // "" = all
};
struct AlarmsWatch {
  std::string service;
};
struct AlarmsAck {
  std::string alarm;
};
struct AlarmsExplain {
  std::string alarm;
  std::optional<std::int64_t> at_ms;  // nullopt = now
  std::string kafka;                  // where the log of exemplars is; "" = as configured
};
struct RemediationsList {
  bool open = false;
};
struct RemediationsShow {
  std::string id;
};
struct RemediationsApprove {
  std::string id;
  bool yes = false;
};
struct RemediationsDeny {
  std::string id;
  std::string reason;
};

enum class SampleKind { kGauge, kDelta, kObservation };
struct Sample {
  std::string metric;
  double value = 0;
};
struct Send {
  std::string service;
  std::vector<Sample> samples;
  std::vector<std::pair<std::string, std::string>> labels;
  SampleKind kind = SampleKind::kGauge;
  std::string unit;
  Duration every{0};                         // 0 = once
  std::uint64_t count = 0;                   // with `every`: how often; 0 = until interrupted
  std::optional<std::int64_t> time_unix_ms;  // nullopt = now, at each sending
};
struct EmittersList {
  std::string service;  // "" = all
};
struct SpansList {
  std::string service;
  std::string operation;      // "" = all
  std::uint32_t slowest = 0;  // of each operation; 0 = as many as there are
};
struct Tail {
  std::string metric;
  std::string service;
  std::vector<std::pair<std::string, std::string>> labels;  // that a series must have
  std::string kafka;                                        // HOST:PORT; "" = as configured
  std::uint64_t count = 0;  // samples, then the end; 0 = until interrupted
};
struct Logs {
  std::string service;
  LogLevel level = LogLevel::kUnknown;  // at least
  std::string match;                    // as in a plan's `logs:`; "" = every line
  std::uint64_t last = 100;
  bool follow = false;
  std::string kafka;  // HOST:PORT; "" = as configured
};
struct DeploymentsReport {
  std::string service;
  std::string revision;
  std::string description;
};
struct Decommission {
  std::string service;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string reason;
};
struct ShowStatus {
  bool partitions = false;
  std::string only;  // "ingest", "evaluation", "notifier" or "remediation"; "" = all four
};
struct Completion {
  std::string shell;  // "bash", "zsh", "fish"
};

using Command = std::variant<PlanCheck, PlanTest, PlanBacktest, PlanDiff, PlanApply, PlanDrift,
                             PlanExport, PlanShow, SlosList, AlarmsList, AlarmsWatch, AlarmsAck,
                             AlarmsExplain, RemediationsList, RemediationsShow, RemediationsApprove,
                             RemediationsDeny, Send, EmittersList, SpansList, Tail, Logs,
                             DeploymentsReport, Decommission, ShowStatus, Completion>;

}  // namespace liveops::ctl
