// Random histories of foreign alerts against a model that keeps nothing but what was said: the same
// transitions come out, straight or with a restart anywhere.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "services/rule-evaluation/engine/foreign.h"
#include "services/rule-evaluation/engine/shard.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::kNine;

struct Word {
  std::int64_t at = 0;  // s
  std::string name;
  std::string pod;
  std::string severity;
  bool firing = true;
  std::int64_t starts = 0;
  std::int64_t until = 0;
};

struct History {
  std::int64_t seconds = 0;
  std::vector<Word> words;  // by time
};

History Random(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  History history;
  history.seconds = 600 + below(1800);
  const auto alerts = static_cast<std::uint64_t>(1 + below(5));
  std::map<std::int64_t, std::int64_t> started;
  for (std::int64_t at = below(60); at < history.seconds;
       at += below(4) == 0 ? below(400) : below(40)) {
    Word word;
    word.at = at;
    const std::int64_t which = below(alerts);
    word.name = which % 2 == 0 ? "Down" : "Slow";
    word.pod = std::to_string(which / 2);
    word.severity = below(4) == 0 ? "P" + std::to_string(1 + below(4)) : "P2";
    word.firing = below(4) != 0;
    if (!started.contains(which) || below(5) == 0) started[which] = at - below(90);
    word.starts = started[which];
    word.until = word.firing ? at + below(300) - (below(10) == 0 ? 100 : 0) : at - below(200);
    history.words.push_back(word);
  }
  return history;
}

std::string Line(std::int64_t at, const std::string& name, const std::string& pod,
                 std::int64_t episode_ms, std::uint32_t step, const char* what,
                 plan::Severity severity) {
  return fmt::format("{}s {}/{} {}#{} {} {}", at, name, pod, episode_ms - kNine, step, what,
                     plan::SeverityName(severity));
}

// As docs/foreign-alerts.md has it, from the words alone.
class Model {
 public:
  std::vector<std::string> Run(const History& history) {
    auto next = history.words.begin();
    for (now_ = 0; now_ <= history.seconds; ++now_) {
      for (auto& [key, alert] : alerts_) Silence(key, alert);
      for (; next != history.words.end() && next->at == now_; ++next) Hear(*next);
    }
    return std::move(told_);
  }

 private:
  struct Alert {
    enum { kNone, kOpen, kStale, kOver } state = kNone;
    std::int64_t episode_ms = 0;
    std::uint32_t step = 0;
    std::int64_t starts = 0, newest = 0, until = 0, heard = 0, over_at = 0;
    plan::Severity severity = plan::Severity::kHigh;
  };
  using Key = std::pair<std::string, std::string>;

  void Tell(const Key& key, const Alert& a, const char* what) {
    told_.push_back(Line(now_, key.first, key.second, a.episode_ms, a.step, what, a.severity));
  }
  void Silence(const Key& key, Alert& a) {
    const std::int64_t good = std::max<std::int64_t>(a.until - a.heard, 60);
    if (a.state != Alert::kOpen || a.until > now_ || now_ - good < 0) return;
    a.state = Alert::kStale;
    ++a.step;
    Tell(key, a, "stale");
  }
  void Hear(const Word& word) {
    const Key key{word.name, word.pod};
    if (!word.firing) {
      const auto known = alerts_.find(key);
      if (known == alerts_.end()) return;
      Alert& a = known->second;
      if (a.state == Alert::kOver || word.until < a.starts) return;
      a.state = Alert::kOver;
      a.over_at = now_;
      ++a.step;
      return Tell(key, a, "recovered");
    }
    Alert& a = alerts_[key];
    if (a.state == Alert::kOver && word.starts <= a.newest && now_ - a.over_at < 60) return;
    const plan::Severity was = std::exchange(a.severity, SeverityOfWord(word.severity));
    a.heard = now_;
    if (a.state == Alert::kNone || a.state == Alert::kOver) {
      a.episode_ms = std::max(kNine + now_ * 1000, a.episode_ms + 1);
      a.step = 0;
      a.starts = a.newest = word.starts;
      a.until = word.until;
      a.state = Alert::kOpen;
      return Tell(key, a, "reported");
    }
    a.newest = std::max(a.newest, word.starts);
    a.until = std::max(a.until, word.until);
    if (a.state == Alert::kStale) {
      a.state = Alert::kOpen;
      ++a.step;
      return Tell(key, a, "returned");
    }
    if (a.severity == was) return;
    ++a.step;
    Tell(key, a, a.severity < was ? "escalated" : "eased");
  }

  std::int64_t now_ = 0;
  std::map<Key, Alert> alerts_;
  std::vector<std::string> told_;
};

// Ticks each second, and the words; with a restart after so many records.
std::vector<std::string> Judge(const History& history, std::int64_t restart, std::string& end) {
  Shard shard(TimeMap{}, ShardLimits{});
  std::vector<Transition> told;
  std::int64_t offset = 0;
  const auto apply = [&](std::int64_t at, auto body) {
    if (offset == restart) {
      auto restored = Shard::Restore(shard.Snapshot(), TimeMap{}, ShardLimits{});
      EXPECT_TRUE(restored.ok());
      shard = std::move(*restored);
    }
    RecordView record;
    record.offset = offset++;
    record.append_time = RealFromMs(kNine + at * 1000);
    record.body = body;
    shard.Apply(record, told);
  };
  auto next = history.words.begin();
  for (std::int64_t at = 0; at <= history.seconds; ++at) {
    TickView tick;
    tick.instance = "i";
    tick.session = 1;
    tick.steady_ms = at * 1000;
    apply(at, tick);
    for (; next != history.words.end() && next->at == at; ++next) {
      Labels labels;
      labels.Set("pod", next->pod);
      const std::string encoded = labels.Encode();
      ExternalAlertView alert;
      alert.service = "shop";
      alert.source = "a";
      alert.name = next->name;
      alert.labels = encoded;
      alert.severity = next->severity;
      alert.firing = next->firing;
      alert.starts = InstantFromMs(kNine + next->starts * 1000);
      alert.until = InstantFromMs(kNine + next->until * 1000);
      apply(at, alert);
    }
  }
  end = shard.Snapshot();
  std::vector<std::string> lines;
  for (const Transition& t : told) {
    lines.push_back(Line((ToMs(t.clock) - kNine) / 1000, t.name.substr(2), *t.group.Find("pod"),
                         ToMs(t.episode), t.step, t.reason.c_str(), t.severity));
  }
  return lines;
}

// LIVEOPS_HISTORIES: how many, 150 when not said.
TEST(ForeignHistories, TellWhatTheModelTellsAndARestartChangesNothing) {
  const char* many = std::getenv("LIVEOPS_HISTORIES");
  const std::uint64_t seeds = many != nullptr ? std::strtoull(many, nullptr, 10) : 150;
  std::map<std::string, int> reasons;
  for (std::uint64_t seed = 0; seed < seeds && !HasFailure(); ++seed) {
    const History history = Random(seed);
    std::string straight_end;
    const auto told = Judge(history, -1, straight_end);
    EXPECT_EQ(told, Model().Run(history)) << "seed " << seed;
    for (const std::string& line : told) {
      const std::size_t last = line.rfind(' ');
      const std::size_t before = line.rfind(' ', last - 1);
      ++reasons[line.substr(before + 1, last - before - 1)];
    }
    std::mt19937_64 random(seed);
    for (int i = 0; i < 3; ++i) {
      const auto cut =
          static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(history.seconds));
      std::string end;
      EXPECT_EQ(Judge(history, cut, end), told) << "seed " << seed << ", restart at " << cut;
      EXPECT_TRUE(end == straight_end) << "seed " << seed << ", restart at " << cut;
    }
  }
  for (const char* reason : {"reported", "recovered", "stale", "returned", "escalated", "eased"}) {
    EXPECT_GT(reasons[reason], 20) << reason << ": the histories try it";
  }
}

}  // namespace
}  // namespace liveops::engine
