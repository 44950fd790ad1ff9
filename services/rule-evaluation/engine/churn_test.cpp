// Pods come and go for good, under rules that do not tell them apart: what is remembered of them is
// bounded, and the alarms are right all along.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "services/rule-evaluation/engine/shard_log.h"
#include "services/rule-evaluation/engine/spread_log.h"
#include "services/rule-evaluation/engine/timeline.h"

namespace liveops::engine {
namespace {

using testing::kNine;
using testing::One;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kTickMs = 2000;  // as seldom as ticks may come

struct Pod {
  std::string pod;
  double total = 0;
  std::string zone = {};
};

class Pods : public testing::ShardLog {
 protected:
  explicit Pods(const ShardLimits& limits = {}) : ShardLog(TimeMap{}, limits) { numbered_ = false; }

  void Plan(const std::string& text) {
    Tick();
    ShardLog::Plan(now_, 1, text);
  }
  void Until(std::int64_t to) {
    while (now_ + kTickMs <= to) {
      now_ += kTickMs;
      Tick();
    }
  }
  // Totals of http_requests_total, now.
  void Count(const std::vector<Pod>& pods) { Say(SeriesKind::kCounterCumulative, pods); }
  void Say(SeriesKind kind, const std::vector<Pod>& pods) {
    std::vector<Said> said;
    for (const Pod& pod : pods) {
      Labels of({{"pod", pod.pod}});
      if (!pod.zone.empty()) of.Set("zone", pod.zone);
      said.push_back({"http_requests_total", of, pod.total});
    }
    ShardLog::Say(now_, kind, said);
  }
  void Tick(bool refused = false) { ShardLog::Tick(now_, refused); }
  AlarmView Alarm(std::string_view id) {
    const AlarmView* found = Find(id);
    return found == nullptr ? AlarmView{} : *found;
  }

  std::int64_t now_ = 0;
};

class ManyPods : public Pods {
 protected:
  ManyPods() : Pods(Limits()) {}
  static ShardLimits Limits() {
    ShardLimits limits;
    limits.series_max = 600;
    return limits;
  }
};

// Each pod lives ten minutes, and speaks each two; fifty at a time. For twelve hours each counts
// one request in two minutes, for the next twelve ten: in five minutes some 125, or 1250.
TEST_F(ManyPods, AHundredThousandOneAfterAnotherLeaveNoTrace) {
  constexpr std::int64_t kBornEach = 12'000;
  constexpr std::int64_t kSpeaksEach = 2 * kMinute;
  constexpr std::int64_t kLife = 10 * kMinute;
  constexpr std::int64_t kPods = 100'000;
  constexpr std::int64_t kPhase = 12 * kHour;
  Plan(One("busy", "increase(http_requests_total) over 5min > 300"));
  std::size_t most = 0;
  std::vector<double> totals(kLife / kBornEach);
  for (std::int64_t born = 0; born < kPods; ++born) {
    Until(born * kBornEach);
    const double more = now_ / kPhase % 2 == 1 ? 10 : 1;
    std::vector<Pod> said;
    for (std::int64_t age = 0; age < kLife && age <= now_; age += kSpeaksEach) {
      const std::int64_t pod = born - age / kBornEach;
      double& total = totals[static_cast<std::size_t>(pod) % totals.size()];
      total = age == 0 ? 1000 : total + more;
      said.push_back({fmt::format("p{}", pod), total});
    }
    Count(said);
    most = std::max(most, shard_.series_known());
    if (born % 20'000 == 19'999) Restart();
    // Of its middle.
    if (now_ % kPhase == kPhase / 2) {
      const bool busy = now_ / kPhase % 2 == 1;
      EXPECT_EQ(Alarm("shop/busy").state, busy ? AlarmState::kFiring : AlarmState::kOk) << now_;
      // Fires by what surely came, and recovers by what it makes of five minutes.
      EXPECT_NEAR(Alarm("shop/busy").value, busy ? 820 : 137.5, 5) << now_;
    }
  }
  EXPECT_EQ(shard_.counters().series_refused, 0u);
  EXPECT_EQ(shard_.counters().points_late, 0u);
  // Fifty, and those of the hour and the window before, up to the next ten minutes of the clock.
  EXPECT_LE(most, 50u + 300u * 80u / 60u);
  EXPECT_LT(shard_.Snapshot().size(), 200u << 10);
  ASSERT_EQ(told_.size(), 27u) << "14 days less 2 h: fires each noon, recovers each midnight";
  for (std::size_t i = 0; i < told_.size(); ++i) {
    EXPECT_EQ(told_[i].reason, i % 2 == 0 ? "crossed" : "recovered") << i;
    const std::int64_t phase = static_cast<std::int64_t>(i + 1) * kPhase;
    EXPECT_GE(ToMs(told_[i].clock) - kNine, phase) << i;
    EXPECT_LE(ToMs(told_[i].clock) - kNine, phase + 6 * kMinute) << i;
  }
}

// With a restart every 37 minutes, and without.
class FewPods : public Pods, public ::testing::WithParamInterface<bool> {
 protected:
  // These say their totals each half a minute, with so much more each time.
  void Go(std::int64_t to, std::vector<Pod>& pods, double more = 0, bool refused = false) {
    while (now_ + 30'000 <= to) {
      Until(now_ + 30'000);
      if (refused) Tick(true);
      for (Pod& pod : pods) pod.total += more;
      Count(pods);
      if (GetParam() && now_ / 30'000 % 74 == 0) Restart();
    }
  }
  std::string Told() const {
    std::string lines;
    for (const Transition& t : told_) {
      lines += fmt::format("{}min {} {}\n", (ToMs(t.clock) - kNine) / kMinute,
                           AlarmStateName(t.state), t.reason);
    }
    return lines;
  }

  std::vector<Pod> a_{{"a", 1000}};
  std::vector<Pod> b_{{"b", 7}};
  std::vector<Pod> both_{{"a", 1000}, {"b", 7}};
};

const std::string kBusy = One("busy", "increase(http_requests_total) over 5min > 100");

TEST_P(FewPods, OneThatReturnsAfterItWasForgottenIsNew) {
  Plan(kBusy);
  Go(10 * kMinute, both_);
  Go(70 * kMinute, b_);
  EXPECT_EQ(shard_.series_known(), 2u);
  Go(3 * kHour, b_);
  EXPECT_EQ(shard_.series_known(), 1u);
  a_[0].total = both_[0].total = 50'000;
  Count(a_);
  EXPECT_EQ(shard_.series_known(), 2u);
  Go(3 * kHour + kMinute, both_);
  EXPECT_EQ(Told(), "") << "it is not known since when it counted so far";
  both_[0].total = 50'300;
  Go(now_ + 30'000, both_);
  EXPECT_EQ(Told(), "181min firing crossed\n");
}

// Also where there is no other, and a restart comes between.
TEST_P(FewPods, OneThatReturnsAloneIsNewToo) {
  Plan(kBusy);
  Go(10 * kMinute, a_);
  Until(3 * kHour + 5 * kMinute);
  EXPECT_EQ(shard_.series_known(), 1u);
  if (GetParam()) Restart();
  a_[0].total = 50'000;
  Go(now_ + kMinute, a_);
  EXPECT_EQ(Told(), "");
  a_[0].total = 50'300;
  Go(now_ + kMinute, a_);
  EXPECT_EQ(Told(), "186min firing crossed\n");
}

TEST_P(FewPods, OneThatReturnsEarlierGoesOn) {
  Plan(kBusy);
  Go(10 * kMinute, both_);
  Go(kHour, b_);
  a_[0].total = 50'000;
  Count(a_);
  EXPECT_EQ(Told(), "60min firing crossed\n") << "a tenth of it in the window";
}

// What is missing would make a small count great, but nobody waits for who died long ago.
TEST_P(FewPods, WhileItFiresTheDeadAreForgotten) {
  Plan(kBusy);
  Go(10 * kMinute, both_);
  Go(3 * kHour, b_, 100);
  EXPECT_EQ(shard_.series_known(), 1u);
  Go(3 * kHour + 20 * kMinute, b_, 0, true);
  EXPECT_EQ(Told(), "10min firing crossed\n184min resolved recovered\n");
}

TEST_P(FewPods, WhoFellSilentOfLateIsMissed) {
  Plan(kBusy);
  Go(150 * kMinute, both_, 100);
  b_[0].total = both_[1].total;
  Go(3 * kHour, b_, 100);
  Go(3 * kHour + 20 * kMinute, b_, 0, true);
  EXPECT_EQ(Told(), "1min firing crossed\n");
  Go(4 * kHour, b_);
  EXPECT_EQ(Told(), "1min firing crossed\n205min resolved recovered\n");
}

TEST_P(FewPods, OfAGroupThatLivesTheDeadAreForgottenToo) {
  Plan(One("busy", "increase(http_requests_total) by zone over 5min > 100"));
  std::vector<Pod> zones{{"a", 1000, "x"}, {"b", 7, "x"}, {"c", 7, "y"}};
  std::vector<Pod> staying{zones[1]};
  Go(10 * kMinute, zones);
  Go(2 * kHour, staying);
  EXPECT_EQ(shard_.series_known(), 1u);
  EXPECT_EQ(shard_.Alarms().size(), 1u) << "nobody is in zone y";
  zones[0].total = 50'000;
  Count({zones[0]});
  Go(2 * kHour + kMinute, staying);
  EXPECT_EQ(Told(), "");
  zones[0].total = 50'300;
  Count({zones[0]});
  EXPECT_EQ(Told(), "121min firing crossed\n");
}

// That somebody spoke is known as long as the rule is; who it was, until others speak.
TEST_P(FewPods, TheLastOnesStayKnownUntilOthersSpeak) {
  Plan(One("few", "increase(http_requests_total) over 5min < 100", ", no_data: fire"));
  Go(10 * kMinute, both_, 100);
  Until(6 * kHour);
  EXPECT_EQ(Told(), "15min no_data silent\n");
  EXPECT_EQ(shard_.series_known(), 2u);
  EXPECT_EQ(Alarm("shop/few").state, AlarmState::kNoData);
  Tick(true);
  Until(6 * kHour + kMinute);
  EXPECT_EQ(Told(), "15min no_data silent\n") << "also while silence proves nothing";
  std::vector<Pod> c{{"c", 5}};
  Go(6 * kHour + 9 * kMinute, c, 100);
  EXPECT_EQ(shard_.series_known(), 3u);
  EXPECT_EQ(Told(), "15min no_data silent\n362min resolved returned\n");
  Go(6 * kHour + 11 * kMinute, c, 100);
  EXPECT_EQ(shard_.series_known(), 1u);
}

TEST_P(FewPods, WhileSilenceProvesNothingNobodyIsForgotten) {
  Plan(kBusy);
  Go(10 * kMinute, both_);
  Go(4 * kHour, b_, 0, true);
  EXPECT_EQ(shard_.series_known(), 2u);
  Go(4 * kHour + 15 * kMinute, b_);
  EXPECT_EQ(shard_.series_known(), 1u);
}

// Its interval is known by its second point.
TEST_P(FewPods, WhoSpeaksOnceADayIsWaitedFor) {
  Plan(One("old", "last(http_requests_total) > 100", ", no_data: fire"));
  for (std::int64_t day = 0; day < 4; ++day) {
    Until(day * 24 * kHour + kMinute);
    Say(SeriesKind::kGauge, {{"a", 5}});
    if (GetParam()) Restart();
  }
  EXPECT_EQ(Told(), "16min no_data silent\n1441min resolved returned\n");
}

INSTANTIATE_TEST_SUITE_P(Restarts, FewPods, ::testing::Bool());

class PodsOfTwoShards : public testing::SpreadLog {
 protected:
  // b says its total to the first shard each half a minute, `a` its to the second one.
  void Go(std::int64_t to, double more, std::optional<double> a = {}, bool refused = false) {
    for (; now_ < to; now_ += 30'000) {
      Until(now_);
      for (Node& node : nodes_) Tick(node, now_, refused);
      Count(0, "b", total_ += more);
      if (a) Count(1, "a", *a);
    }
  }
  void Count(int node, std::string_view pod, double total) {
    Point(node, now_, SeriesKind::kCounterCumulative, "http_requests_total", pod, total, "");
  }

  std::int64_t now_ = 0;
  double total_ = 0;
};

// It is the last one of its shard, not of the service: the home does as one shard would.
TEST_F(PodsOfTwoShards, NobodyWaitsForTheDeadOfOneOfThem) {
  Make(2);
  Plan(0, 1,
       testing::SpreadPlan(2,
                           "  - {name: busy, when: 'increase(http_requests_total) over 5min > "
                           "100', severity: high, owner: on-call}"));
  Go(10 * kMinute, 0, 7);
  Go(3 * kHour, 100);
  EXPECT_EQ(nodes_[1].shard.series_known(), 1u);
  auto told = Take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].state, AlarmState::kFiring);
  Go(3 * kHour + 20 * kMinute, 0, {}, true);
  told = Take();
  ASSERT_EQ(told.size(), 1u) << "also while silence proves nothing";
  EXPECT_EQ(told[0].state, AlarmState::kResolved);
  Go(4 * kHour, 0, 50'000);
  EXPECT_TRUE(Take().empty()) << "a total to count from";
}

}  // namespace
}  // namespace liveops::engine
