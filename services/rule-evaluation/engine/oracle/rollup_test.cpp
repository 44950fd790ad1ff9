// Random histories of half a day, in which a shard loses its state: what was rolled up, the log's
// last two hours and its last word on each alarm must give what a shard gives that lost nothing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/rule-evaluation/engine/oracle/history_hours.h"
#include "services/rule-evaluation/engine/oracle/random.h"
#include "services/rule-evaluation/engine/shard.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kReplay = 2 * kHour;

using Saw = std::map<std::string, std::size_t>;

// When an open episode began to be true is taken from the log, which does not know what an eager
// word became at the watermark.
std::string WithoutSince(std::string text) {
  for (std::size_t at = 0; (at = text.find(" since ", at)) != std::string::npos;) {
    text.erase(at, std::string_view(" since 09:00:00").size());
  }
  return text;
}

std::string Words(const AlarmView& view) {
  return fmt::format("{} {} {} since {}: {}", view.alarm_id, AlarmStateName(view.state), view.value,
                     ToMs(view.since) - kNine, view.explanation);
}

// Whose value an open alarm shows is not in the log either.
bool HasSeveralTests(const std::string& expression) {
  return expression.find(" and ") != std::string::npos ||
         expression.find(" or ") != std::string::npos;
}

// What of two shards differs, as it is shown. An explanation holds the value that was judged. When
// a group that is calm and silent is forgotten, each shard's own housekeeping decides.
std::string Difference(const Shard& straight, const Shard& rebuilt) {
  std::map<std::string, std::pair<std::optional<AlarmView>, std::optional<AlarmView>>> both;
  for (AlarmView& view : straight.Alarms()) both[view.alarm_id].first = std::move(view);
  for (AlarmView& view : rebuilt.Alarms()) both[view.alarm_id].second = std::move(view);
  for (const auto& [id, views] : both) {
    const auto& [a, b] = views;
    if (!a || !b) {
      const AlarmView& one = a ? *a : *b;
      if (one.state == AlarmState::kOk || one.state == AlarmState::kBlind) continue;
      return (a ? "only straight: " : "only rebuilt: ") + Words(one);
    }
    const bool shown = a->episode == Instant{} || !HasSeveralTests(a->expression);
    const bool same = a->state == b->state && a->episode == b->episode &&
                      (!shown || WithoutSince(a->explanation) == WithoutSince(b->explanation));
    if (!same) return "straight: " + Words(*a) + "\nrebuilt:  " + Words(*b);
  }
  return "";
}

bool IsUnknown(const AlarmView& view) {
  return view.explanation.find("reaches back before what is known") != std::string::npos;
}

struct Loss {
  std::int64_t at = 0;  // when all is lost
  bool rollups = true;  // what was rolled up is there
};

class Runs {
 public:
  Runs(const History& history, const Loss& loss) : history_(history), loss_(loss) {}

  // "" = no difference from the loss on.
  std::string Play(Saw& saw) {
    const auto& records = history_.records;
    const auto before = [](const HistoryRecord& r, std::int64_t at) { return r.at < at; };
    const auto place = [&](std::int64_t at) {
      return static_cast<std::size_t>(std::lower_bound(records.begin(), records.end(), at, before) -
                                      records.begin());
    };
    const std::size_t start = place(loss_.at - kReplay);
    const std::size_t lost = place(loss_.at);
    for (std::size_t i = 0; i < lost; ++i) {
      Apply(straight_, i, told_);
      for (Rollup& part : straight_.TakeRolled()) {
        ++saw["parts"];
        saw["bytes"] += part.content.size();
        shelf_.Put(1, std::move(part));
      }
    }
    Rebuild(start, lost);
    saw["rules made whole"] += rebuilt_.rules_made_whole();
    std::vector<Transition> again;
    std::vector<Transition> on;
    for (std::size_t i = lost; i < records.size(); ++i) {
      Apply(straight_, i, on);
      Apply(rebuilt_, i, again);
      // Until it is judged again an adopted alarm shows what the log says of it.
      if (i % 300 != 0 || records[i].at < loss_.at + 15 * kMinute) continue;
      const std::string difference = Difference(straight_, rebuilt_);
      if (!difference.empty()) return fmt::format("at {}: {}", records[i].at, difference);
    }
    for (const AlarmView& view : rebuilt_.Alarms()) saw["unknown"] += IsUnknown(view) ? 1 : 0;
    return Compare(on, again, saw);
  }

 private:
  void Apply(Shard& shard, std::size_t i, std::vector<Transition>& out) {
    shard.Apply(maker_.Make(history_, history_.records[i], static_cast<std::int64_t>(i)), out);
  }

  // As a new owner does.
  void Rebuild(std::size_t start, std::size_t lost) {
    const std::string text = history_.PlanText(history_.records.front());
    rebuilt_.StartAt({{"shop", 1, text}});
    if (loss_.rollups) rebuilt_.Await(shelf_.Take());
    // What the log last said before the replay begins, then each word where it was said, at last
    // what contradicts it is set right.
    std::map<std::string, Transition> last;
    std::multimap<std::int64_t, const Transition*> words;
    for (const Transition& t : told_) {
      if (t.source_offset < static_cast<std::int64_t>(start)) {
        last[t.alarm_id] = t;
      } else {
        words.emplace(t.source_offset, &t);
      }
    }
    for (const auto& [id, t] : last) rebuilt_.Adopt(t);
    std::map<std::string, Transition> stands;
    for (std::size_t i = start; i < lost; ++i) {
      std::vector<Transition> said;
      Apply(rebuilt_, i, said);
      for (Transition& t : said) stands[t.alarm_id] = std::move(t);
      const auto [from, to] = words.equal_range(static_cast<std::int64_t>(i));
      for (auto at = from; at != to; ++at) {
        const Transition& word = *at->second;
        rebuilt_.Adopt(word);
        stands[word.alarm_id] = last[word.alarm_id] = word;
      }
    }
    for (auto& [id, t] : stands) {
      const auto word = last.find(id);
      if (word == last.end()) t.state = AlarmState::kResolved;  // the log knows nothing of it
      const Transition& truth = word == last.end() ? t : word->second;
      const bool other = t.episode != truth.episode || t.step != truth.step;
      if (word == last.end() || other) rebuilt_.Adopt(truth);
    }
  }

  std::string Compare(const std::vector<Transition>& on, const std::vector<Transition>& again,
                      Saw& saw) {
    const auto line = [](const Transition& t) {
      // What left has no value any more but the last that the log told.
      const bool known = t.state != AlarmState::kGone && !HasSeveralTests(t.expression);
      const double value = known ? t.value : 0;
      return fmt::format("{} {} {} {:.6g} at {} episode {} step {}", t.alarm_id,
                         AlarmStateName(t.state), t.reason, value, ToMs(t.window_end) - kNine,
                         ToMs(t.episode) - kNine, t.step);
    };
    std::vector<std::string> a;
    std::vector<std::string> b;
    for (const Transition& t : on) {
      ++saw[fmt::format("{} {}", AlarmStateName(t.state), t.reason)];
      a.push_back(line(t));
    }
    for (const Transition& t : again) b.push_back(line(t));
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i >= a.size()) return "only rebuilt told: " + b[i];
      if (i >= b.size()) return "only straight told: " + a[i];
      if (a[i] != b[i]) return "straight told: " + a[i] + "\nrebuilt told:  " + b[i];
    }
    return "";
  }

  const History& history_;
  const Loss loss_;
  RecordMaker maker_;
  Shard straight_{TimeMap{}, ShardLimits{}};
  Shard rebuilt_{TimeMap{}, ShardLimits{}};
  std::vector<Transition> told_;
  RollupShelf shelf_;
};

TEST(Rollups, WithTheLastTwoHoursTheyGiveWhatWasLost) {
  const char* only = std::getenv("LIVEOPS_SEED");  // "7", or "151-400"
  Saw saw;
  std::vector<std::uint64_t> seeds;
  if (only != nullptr) {
    char* end = nullptr;
    const std::uint64_t first = std::strtoull(only, &end, 10);
    const std::uint64_t last = *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first;
    for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  } else {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) seeds.push_back(seed);
    // Here shards would forget at other moments, did each housekeep by its own age; a replay would
    // move alarms before a round is there; slices would be judged after what counts them began;
    // what nobody feeds any more would be blind.
    seeds.insert(seeds.end(), {281, 315, 345, 353, 391, 508, 826, 1277, 1593, 2130, 2831, 3090,
                               3186, 5332, 1182, 4772});
  }
  for (const std::uint64_t seed : seeds) {
    const History history = MakeHistoryOfHours(seed, 11);
    Random random(seed * 7);
    const Loss loss{random.Between(4 * kHour, 9 * kHour)};
    ASSERT_EQ(Runs(history, loss).Play(saw), "") << "seed " << seed << ", lost at " << loss.at;
  }
  for (const auto& [what, count] : saw) RecordProperty(what, static_cast<int>(count));
  if (only != nullptr) return;
  for (const char* what : {"firing crossed", "resolved recovered", "rules made whole"}) {
    EXPECT_GE(saw[what], 20u) << what;
  }
}

}  // namespace
}  // namespace liveops::engine::oracle
