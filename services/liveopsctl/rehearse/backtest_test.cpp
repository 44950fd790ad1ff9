#include "services/liveopsctl/rehearse/backtest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/liveopsctl/rehearse/diff.h"

namespace liveops::rehearse {
namespace {

constexpr std::int64_t kTen = 1'772'359'200'000;  // 2026-03-01T10:00:00Z

std::string PlanText(const std::string& cpu, const std::string& more = "") {
  return R"(service: shop
owners:
  on-call: {slack: "#oncall", pagerduty: oncall}
  team: {slack: "#team"}
alarms:
  - {name: cpu, when: )" +
         cpu + R"(, severity: high, owner: on-call}
  - {name: memory, when: last(memory) > 90 for 1min, severity: high, owner: on-call}
)" + more;
}

// CPU each 10 s, in steps of a minute.
std::vector<RecordedLine> Recording(const std::vector<double>& minutes) {
  std::vector<RecordedLine> lines{RecordingHeader{}};
  for (std::size_t i = 0; i < minutes.size() * 6; ++i) {
    RecordedBatch batch;
    batch.at = InstantFromMs(kTen + static_cast<std::int64_t>(i) * 10'000);
    batch.service = "shop";
    RecordedPoint point;
    point.kind = engine::SeriesKind::kGauge;
    point.metric = "cpu";
    point.value = minutes[i / 6];
    batch.points.push_back(point);
    lines.emplace_back(std::move(batch));
  }
  return lines;
}

BacktestReport Backtested(const std::string& text, const std::vector<RecordedLine>& lines) {
  const plan::ParseResult plan = plan::Parse(text);
  for (const plan::Problem& problem : plan.problems) ADD_FAILURE() << problem.ToString("plan");
  Backtest backtest(plan.plan, text);
  for (const RecordedLine& line : lines) backtest.Take(line);
  return backtest.Finish();
}

const AlarmReport& Alarm(const BacktestReport& report, std::string_view name) {
  for (const AlarmReport& alarm : report.alarms) {
    if (alarm.name == name) return alarm;
  }
  ADD_FAILURE() << "no alarm " << name;
  return report.alarms.at(0);
}

TEST(Backtest, PlaysTheSeriesOfServicesThatThePlanReads) {
  std::vector<RecordedLine> lines = Recording({50, 50, 50});
  for (std::size_t i = lines.size() - 1; i > 0; --i) {
    for (const auto& [service, value] : {std::pair("payments", 95.0), std::pair("stock", 99.0)}) {
      RecordedBatch other = std::get<RecordedBatch>(lines[i]);
      other.service = service;
      other.points[0].value = value;
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(other));
    }
  }
  const BacktestReport report =
      Backtested(PlanText("'last(cpu{service=\"payments\"}) - last(cpu) > 40'"), lines);
  EXPECT_EQ(Alarm(report, "cpu").fired, 1u);
  EXPECT_EQ(report.other_services.size(), 1u);  // stock, of which nobody asks
}

TEST(Backtest, SaysWhatIsLeftOfErrorBudgets) {
  std::vector<RecordedLine> lines{RecordingHeader{}};
  for (int minute = 0; minute < 120; ++minute) {
    RecordedBatch batch;
    batch.at = InstantFromMs(kTen + minute * 60'000);
    batch.service = "shop";
    for (const auto& [metric, value] : {std::pair("bad", 20.0), std::pair("all", 1000.0)}) {
      RecordedPoint point;
      point.kind = engine::SeriesKind::kCounterDelta;
      point.metric = metric;
      point.value = value;
      point.covers = Duration(60'000);
      batch.points.push_back(point);
    }
    lines.emplace_back(std::move(batch));
  }
  const BacktestReport report = Backtested(PlanText("last(cpu) > 90", R"(slos:
  - {name: up, objective: 99%, bad: bad, total: all, over: 7d, owner: on-call}
  - {name: dark, objective: 99%, bad: nothing, total: nobody, over: 7d, owner: on-call}
)"),
                                           lines);
  ASSERT_EQ(report.budgets.size(), 2u);
  EXPECT_EQ(report.budgets[0].first, "up");
  // Twice what is allowed, for two of 168 hours.
  EXPECT_EQ(report.budgets[0].second,
            "at most 97.6 % of the week's error budget is left (1h of 7d is known)");
  EXPECT_EQ(report.budgets[1].second, "no point of nobody seen since the plan came into force");
  // Its long window is not one of those that are not judged.
  EXPECT_EQ(report.longest_window, std::chrono::hours(72));
}

// An hour and a half of minutes, of which the last twenty are hot.
TEST(Backtest, CountsSlicesOfTime) {
  std::vector<double> minutes(90, 50);
  std::fill(minutes.end() - 20, minutes.end(), 95);
  const BacktestReport report = Backtested(PlanText("last(cpu) > 99", R"(slos:
  - {name: cool, objective: 99%, time_slices: {good: max(cpu) < 90}, over: 7d, owner: on-call}
  - {name: dark, objective: 99%, time_slices: {good: max(nobody) < 90}, over: 7d, owner: on-call}
)"),
                                           Recording(minutes));
  ASSERT_EQ(report.budgets.size(), 2u);
  // Twenty of the 100.8 minutes that may be bad.
  EXPECT_EQ(report.budgets[0].second,
            "at most 80.2 % of the week's error budget is left (1h of 7d is known)");
  EXPECT_THAT(report.budgets[1].second,
              ::testing::StartsWith("no point of slo:slices seen since the plan came into force"));
  const AlarmReport& burns = Alarm(report, "cool-fast-burn");
  EXPECT_EQ(burns.fired, 1u);
  // On the close of the third, which ended at 11:12: two of sixty are 3.33 %, not above 3.36 %.
  EXPECT_EQ(FormatUtc(ToMs(*burns.first)), "2026-03-01T11:12:02.000Z");
  EXPECT_TRUE(report.unread_metrics.empty());
}

TEST(Backtest, CountsFiringsTimeDelayAndFlaps) {
  std::vector<RecordedLine> lines =
      Recording({50, 50, 95, 95, 95, 50, 50, 95, 95, 95, 50, 50, 50, 95, 95, 95});
  lines.insert(lines.begin() + 12, Mark{InstantFromMs(kTen + 100'000), "fault begins"});
  const BacktestReport report = Backtested(PlanText("last(cpu) > 90 for 1min"), lines);
  EXPECT_EQ(report.batches, 96U);
  EXPECT_EQ(report.points, 96U);
  EXPECT_EQ(report.pages, 3U);
  EXPECT_EQ(report.to - report.from, Duration(950'000));
  EXPECT_NEAR(report.PagesPerDay(), 3 * 86400.0 / 950, 1e-6);
  const AlarmReport& cpu = Alarm(report, "cpu");
  EXPECT_EQ(cpu.fired, 3U);
  EXPECT_EQ(cpu.flaps, 2U);
  EXPECT_TRUE(cpu.open);
  EXPECT_FALSE(cpu.blind);
  // Over the line at 2min, firing a minute later: 80 s after the mark at 1min40s.
  EXPECT_EQ(*cpu.after_mark, Duration(80'000));
  EXPECT_EQ(cpu.mark, "fault begins");
  // From 3min to 5min2s, from 8min to 10min2s, and from 14min to the end.
  EXPECT_EQ(cpu.firing, Duration(122'000 + 122'000 + 110'000));
  EXPECT_TRUE(Alarm(report, "memory").blind);
}

TEST(Backtest, SaysWhatItDidNotLookAt) {
  std::vector<RecordedLine> lines = Recording({50, 50});
  RecordedBatch other;
  other.at = InstantFromMs(kTen + 120'000);
  other.service = "billing";
  lines.emplace_back(other);
  std::get<RecordedBatch>(lines[1]).points.push_back({});
  std::get<RecordedBatch>(lines[1]).points.back().metric = "queue";
  const BacktestReport report = Backtested(PlanText("last(cpu) > 90 for 1min"), lines);
  EXPECT_THAT(report.unread_metrics, testing::ElementsAre("queue"));
  EXPECT_THAT(report.other_services, testing::ElementsAre(testing::Pair("billing", 1U)));
  EXPECT_EQ(report.batches, 12U);
  EXPECT_EQ(ToMs(report.to), kTen + 120'000);
  EXPECT_EQ(report.pages, 0U);
}

TEST(Backtest, AWindowThatReachesBackBeforeTheRecordingIsNotKnown) {
  std::vector<RecordedLine> lines = Recording(std::vector<double>(15, 95));
  const BacktestReport report = Backtested(PlanText("avg(cpu) over 10min > 90"), lines);
  ASSERT_EQ(report.episodes.size(), 1U);
  // Ten minutes of samples, each of 10 s.
  EXPECT_EQ(report.episodes[0].opened.clock - report.from, Duration(590'000));
  EXPECT_EQ(report.longest_window, Duration(600'000));
}

// "fires cpu", …
std::vector<std::string> Changes(const BacktestDiff& diff) {
  std::vector<std::string> out;
  for (const DiffLine& line : diff.lines) {
    out.push_back(fmt::format("{} {} {}", static_cast<int>(line.change), line.alarm,
                              FormatDuration(line.shift)));
  }
  return out;
}

TEST(Diff, TellsEarlierLaterNewAndQuiet) {
  const auto lines = Recording({50, 50, 95, 95, 95, 95, 95, 50, 50});
  const auto run = [&](const std::string& cpu, const std::string& more = "") {
    return Backtested(PlanText(cpu, more), lines);
  };
  const BacktestReport base = run("last(cpu) > 90 for 1min");
  const BacktestDiff same = Compare(base, base);
  EXPECT_THAT(same.lines, testing::IsEmpty());
  EXPECT_EQ(same.same, 1U);
  EXPECT_THAT(Changes(Compare(base, run("last(cpu) > 90 for 3min"))),
              testing::ElementsAre(fmt::format("{} cpu 2min", static_cast<int>(Change::kLater))));
  EXPECT_THAT(Changes(Compare(base, run("last(cpu) > 90 for 30s"))),
              testing::ElementsAre(fmt::format("{} cpu -30s", static_cast<int>(Change::kEarlier))));
  EXPECT_THAT(Changes(Compare(base, run("last(cpu) > 99 for 1min"))),
              testing::ElementsAre(fmt::format("{} cpu 0s", static_cast<int>(Change::kQuiet))));
  const BacktestDiff added = Compare(
      base, run("last(cpu) > 90 for 1min", "  - {name: hot, when: last(cpu) > 40, page: false}\n"));
  EXPECT_THAT(Changes(added),
              testing::ElementsAre(fmt::format("{} hot 0s", static_cast<int>(Change::kFires))));
  EXPECT_THAT(added.only_after, testing::ElementsAre("hot"));
  EXPECT_THAT(added.only_before, testing::IsEmpty());
}

TEST(Diff, TellsWhoIsToldAndWhenItCloses) {
  const auto lines = Recording({50, 95, 95, 95, 50, 50, 50, 50});
  const std::string text = PlanText("last(cpu) > 90 for 1min");
  std::string other = text;
  other.replace(other.find("severity: high, owner: on-call"), 30, "severity: medium, owner: team");
  const BacktestReport base = Backtested(text, lines);
  EXPECT_THAT(Changes(Compare(base, Backtested(other, lines))),
              testing::ElementsAre(fmt::format("{} cpu 0s", static_cast<int>(Change::kToldElse))));
  std::string slow = text;
  slow.replace(slow.find("for 1min"), 8, "for 1min, clear: \"< 80 for 1min\"");
  EXPECT_THAT(
      Changes(Compare(base, Backtested(slow, lines))),
      testing::ElementsAre(fmt::format("{} cpu 1min", static_cast<int>(Change::kResolves))));
}

// Gives a backtest the same as records of a log: `lines` with the ticks between them, at ten times
// the speed, among what it must pass over.
class Log {
 public:
  explicit Log(Backtest& backtest) : backtest_(backtest) {
    EXPECT_TRUE(backtest_.BeginLog({map_, 1, {}}).ok());
  }
  void Play(const std::vector<RecordedLine>& lines) {
    engine::PlanActivationView plan;
    plan.service = "shop";
    plan.version = 9;
    plan.text = "service: shop\n";
    for (const RecordedLine& line : lines) {
      const auto* batch = std::get_if<RecordedBatch>(&line);
      if (batch == nullptr) continue;
      for (; next_tick_ <= ToMs(batch->at); next_tick_ += 250) Tick(next_tick_);
      Append(ToMs(batch->at), plan);
      Batch("other", *batch);
      Batch("shop", *batch);
    }
    for (const std::int64_t end = next_tick_ + 2'000; next_tick_ <= end; next_tick_ += 250)
      Tick(next_tick_);
  }

 private:
  void Tick(std::int64_t at) {
    engine::TickView tick;
    tick.instance = "ingest";
    tick.session = 1;
    tick.steady_ms = (at - kTen) / 10;
    Append(at, tick);
  }
  void Batch(std::string_view service, const RecordedBatch& recorded) {
    const std::string labels = Labels().Encode();
    const engine::SeriesView series{{1, 2}, engine::SeriesKind::kGauge, "cpu", "", labels};
    const std::uint32_t index = 0;
    const std::int64_t delta = 0;
    engine::BatchView batch;
    batch.service = service;
    batch.series = {&series, 1};
    batch.base_time_ms = ToMs(recorded.at);
    batch.point_series = {&index, 1};
    batch.point_time_delta_ms = {&delta, 1};
    batch.point_value = {&recorded.points.front().value, 1};
    Append(ToMs(recorded.at), batch);
  }
  template <typename Body>
  void Append(std::int64_t at, const Body& body) {
    engine::RecordView record;
    record.offset = offset_ += 3;
    record.append_time = map_.ToReal(InstantFromMs(at));
    record.source = {"e", 1, static_cast<std::uint64_t>(offset_)};
    record.body = body;
    backtest_.Take(0, record);
    backtest_.Take(1, record);  // of a partition that the plan does not ask about
  }

  Backtest& backtest_;
  const TimeMap map_{RealFromMs(kTen), InstantFromMs(kTen), 10};
  std::int64_t next_tick_ = kTen;
  std::int64_t offset_ = 1'000;
};

TEST(Backtest, ALogTellsWhatARecordingOfItTells) {
  const std::vector<RecordedLine> lines =
      Recording({50, 50, 95, 95, 95, 40, 40, 95, 95, 95, 40, 40});
  const std::string text = PlanText("last(cpu) > 90 for 1min");
  const BacktestReport recorded = Backtested(text, lines);
  const plan::ParseResult plan = plan::Parse(text);
  Backtest backtest(plan.plan, text);
  Log(backtest).Play(lines);
  const BacktestReport logged = backtest.Finish();
  ASSERT_EQ(recorded.told.size(), 4U);
  ASSERT_EQ(logged.told.size(), recorded.told.size());
  for (std::size_t i = 0; i < recorded.told.size(); ++i) {
    EXPECT_EQ(logged.told[i].state, recorded.told[i].state);
    EXPECT_EQ(logged.told[i].window_end, recorded.told[i].window_end);
    EXPECT_EQ(logged.told[i].value, recorded.told[i].value);
    EXPECT_EQ(logged.told[i].plan_version, 1U) << "the plan in the log is passed over";
  }
  EXPECT_EQ(logged.batches, recorded.batches);
  EXPECT_EQ(logged.points, recorded.points);
  EXPECT_EQ(logged.from, recorded.from);
  EXPECT_EQ(logged.other_services.at("other"), logged.batches);
  EXPECT_EQ(logged.metrics.at("cpu").batches, logged.batches);
  EXPECT_TRUE(Alarm(logged, "memory").blind);
}

}  // namespace
}  // namespace liveops::rehearse
