#pragma once

#include <string>
#include <vector>

#include "services/liveopsctl/rehearse/backtest.h"

// How two plans differ in what they would have told of the same recording. Pure.
namespace liveops::rehearse {

enum class Change {
  kFires,     // the new plan alone
  kQuiet,     // the old plan alone
  kEarlier,   // the same episode, begun earlier by the new plan
  kLater,     //                         later
  kResolves,  // begun at the same moment, closed at another
  kToldElse,  // the same in time, with another severity or owner
};

struct DiffLine {
  Change change = Change::kFires;
  std::string alarm;  // with its group
  engine::Purpose purpose = engine::Purpose::kPage;
  std::optional<Episode> before;  // by the old plan
  std::optional<Episode> after;   // by the new plan
  Duration shift{0};  // kEarlier (negative), kLater, kResolves: by how much, where both are known
};

struct BacktestDiff {
  std::vector<DiffLine> lines;           // by time
  std::size_t same = 0;                  // episodes in which nothing differs
  std::vector<std::string> only_before;  // alarms that only one plan has
  std::vector<std::string> only_after;
};

// Episodes of an alarm are the same when they overlap, or begin within 10 min of each other.
BacktestDiff Compare(const BacktestReport& before, const BacktestReport& after);

}  // namespace liveops::rehearse
