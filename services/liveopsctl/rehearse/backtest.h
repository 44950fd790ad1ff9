#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/liveopsctl/rehearse/log_player.h"
#include "services/liveopsctl/rehearse/player.h"
#include "services/liveopsctl/rehearse/recording.h"
#include "services/liveopsctl/rehearse/watched.h"

// What a plan would have told, had it been in force during a recorded incident. Pure.
namespace liveops::rehearse {

// An alarm that fires again so soon after its resolve flaps.
inline constexpr Duration kFlap = std::chrono::minutes(10);

// From the opening of an alarm to its close.
struct Episode {
  engine::Transition opened;
  std::optional<engine::Transition> closed;  // nullopt = open at the end

  std::string alarm() const;  // with its group
  Duration length(Instant end) const;
};

struct AlarmReport {
  std::string name;
  engine::Purpose purpose = engine::Purpose::kPage;
  std::size_t fired = 0;  // episodes
  std::size_t flaps = 0;
  Duration firing{0};  // in all
  std::optional<Instant> first;
  // From the last mark before the first firing.
  std::optional<Duration> after_mark;
  std::string mark;
  bool open = false;   // at the end
  bool blind = false;  // no point of what it reads in the recording
};

// What was read of one partition of the log of samples.
struct PartitionSpan {
  std::int32_t partition = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::uint64_t records = 0;
  std::uint64_t unreadable = 0;  // of these
};

// Of that log, where its records were played themselves.
struct LogSpan {
  std::vector<PartitionSpan> partitions;  // the home of the plan's service first
  std::optional<Instant> wanted;          // from when on was asked for; nullopt = all that is kept
  // The partition whose records begin last, where that is later than was asked for, or, where
  // nothing was, than others do.
  std::optional<std::int32_t> begins_late;
  // The one whose records end first, where others go on, and where that is.
  std::optional<std::int32_t> ends_early;
  Instant ends{};
  bool interrupted = false;  // before its end

  std::uint64_t records() const;
  std::uint64_t unreadable() const;
};

// Points of a metric.
struct Sighting {
  Instant first{};
  Instant last{};
  std::uint64_t batches = 0;  // that had some
};

struct BacktestReport {
  std::string service;
  std::vector<std::string> reads;  // other services, of which the plan reads series
  std::optional<LogSpan> log;      // nullopt = a recording
  std::vector<SeriesMove> moves;   // of their series, in the log's time
  RecordingHeader header;
  Instant from{};
  Instant to{};
  std::uint64_t batches = 0;  // of all these services
  std::uint64_t points = 0;
  std::map<std::string, std::uint64_t> other_services;  // -> batches, not looked at
  std::uint64_t points_unit_mismatch = 0;  // counted for nothing: their unit does not convert
  std::vector<Mark> marks;
  std::vector<engine::Transition> told;  // of every alarm
  std::vector<Episode> episodes;         // by their openings
  std::vector<AlarmReport> alarms;       // in the plan's order
  std::size_t pages = 0;
  std::map<std::string, Sighting, std::less<>> metrics;  // that were seen, by SeenAs
  std::vector<engine::AlarmView> at_end;                 // every alarm as it stood then
  // Of each objective, in the plan's order: what is left of its error budget at the end, or why
  // that is not known.
  std::vector<std::pair<std::string, std::string>> budgets;
  std::vector<std::string> unread_metrics;  // in the recording, read by nothing in the plan
  Duration longest_window{0};               // windows that reach back before `from` are unknown

  double PagesPerDay() const;
};

class Backtest {
 public:
  // `text` is what `plan` was parsed from.
  Backtest(const plan::Plan& plan, std::string_view text);

  // In the order of the file.
  void Take(const RecordedLine& line);

  // Or records of a log as they stand in it; one kind of source only. What belongs to other
  // services is counted, and not played. kInvalid: the plan cannot be judged as the series lie.
  Status BeginLog(const LogPlaces& places);
  const std::vector<std::int32_t>& partitions() const { return log_->partitions(); }
  // Of another partition than these it does not look at.
  void Take(std::int32_t partition, const engine::RecordView& record);

  // After the last one. Something was recorded.
  BacktestReport Finish();

 private:
  void TakeBatch(const RecordedBatch& batch);
  // A batch of the plan's service, or of one that it reads.
  bool Mine(std::string_view service);
  void See(std::string_view service, std::string_view metric, Instant at);
  void Count(BacktestReport& report) const;

  plan::Plan plan_;
  std::string text_;
  std::vector<std::string> slos_;
  Watchlist watched_;
  BacktestReport report_;
  std::optional<Player> player_;
  std::map<std::string, std::uint32_t> series_;  // by kind, metric, unit and labels
  Played played_;
  std::optional<LogPlayer> log_;
};

}  // namespace liveops::rehearse
