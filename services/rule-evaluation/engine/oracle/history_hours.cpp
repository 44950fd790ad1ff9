#include "services/rule-evaluation/engine/oracle/history_hours.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/labels.h"
#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {
namespace {

struct Sender {
  std::size_t series = 0;
  std::int64_t from = 0;  // it lives
  std::int64_t to = 0;
  std::int64_t interval = 0;
  double total = 0;  // of one that counts from its start
  std::int64_t last = -1;
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) { history_.seed = seed; }

  History Make(std::int64_t length) {
    PickPlan();
    PickSeries(length);
    if (history_.seed % 5 == 4) PickChurn(length);
    std::int64_t pause_until = -1;
    const std::int64_t pause_at = random_.Chance(40) ? random_.Below(length) : -1;
    for (std::int64_t at = 0; at <= length; at += 1000) {
      if (pause_at >= 0 && at > pause_at && pause_until < 0) {
        pause_until = at + random_.Of({3, 8, 40}) * 1000;
      }
      if (at < pause_until) continue;
      Send(at);
      HistoryRecord tick;
      tick.at = at;
      tick.instance = "i";
      if (random_.Chance(1) && random_.Chance(2)) tick.refused_service = "shop";
      history_.records.push_back(tick);
    }
    return std::move(history_);
  }

 private:
  void PickPlan() {
    static const std::vector<std::string> kAll = {
        "ratio(c1, c0) over 6h > 3%",
        "ratio(c1, c0) by pod over 3h > 4% for 20min",
        "increase(c0) over 4h > 9000",
        "rate(c0) by pod over 2h > 1/s",
        "count(c1) by pod over 5h > 90",
        "max(g) by pod over 3h > 97",
        "avg(g) over 5h > 51",
        "min(g) by pod over 2h < 2",
        "stddev(g) by pod over 4h > 28",
        "p95(d) over 4h > 480ms",
        "avg(d) by pod over 90min > 260ms",
        "distinct(c0, pod) over 3h > 4",
        "increase(c0) over 20min > 130% compared to 2h ago",
        "ratio(c1, c0) over 6h > 3% and ratio(c1, c0) over 10min > 4%",
        "ratio(c1, c0) by pod over 2h > 3% and increase(c0) over 3h > 3000",
        "2 * increase(c0) + increase(c1) over 3h > 12000",
        "ratio(c1, c0) over 10min > 4%",
        "ratio(c1, c0) by pod over 30min > 4% for 10min",
        "avg(g) by pod over 20min > 60",
        "max(g) over 5min > 90",
    };
    HistoryRecord plan;
    plan.kind = HistoryRecord::Kind::kPlan;
    plan.version = 1;
    std::set<std::string> picked;
    for (int i = 0; i < 5; ++i) picked.insert(random_.Of(kAll));
    int number = 0;
    for (const std::string& when : picked) {
      plan.alarms.push_back(
          fmt::format("{{name: a{}, when: '{}', severity: high, owner: on-call{}}}", number++, when,
                      random_.Chance(20) ? ", no_data: fire" : ""));
    }
    if (random_.Chance(40)) {
      history_.objective =
          "{name: o, objective: 97%, good: 'c0{code!=\"500\"}', total: c0, owner: on-call}";
    }
    if (random_.Chance(50)) {
      std::string good = random_.Of({"p95(d) < 490ms", "avg(d) < 260ms", "ratio(c1, c0) < 4%"});
      Random apart(history_.seed * 3);
      if (apart.Chance(50)) good = apart.Of({"avg(g) < 60", "max(g) < 95", "last(g) > 3"});
      plan.slices = fmt::format(
          "{{name: s, objective: 97%, time_slices: {{good: '{}', window: {}}}, owner: on-call}}",
          good, random_.Of({"1min", "5min"}));
    }
    history_.records.push_back(plan);
  }

  void AddSeries(const char* metric, SeriesKind kind, const char* unit, std::int64_t length) {
    HistorySeries s;
    s.kind = kind;
    s.metric = metric;
    s.unit = unit;
    Labels labels;
    labels.Set("pod", fmt::format("p{}", pods_));
    if (random_.Chance(30)) labels.Set("code", "500");
    Sender sender;
    sender.series = Known(s, labels);
    sender.from = random_.Chance(60) ? 2000 : random_.Below(length);
    sender.to = random_.Chance(60) ? length : sender.from + random_.Below(length);
    sender.interval =
        random_.Of({15'000, 30'000, 30'000, 60'000, 60'000, 300'000, 2'400'000, 4'000'000});
    senders_.push_back(sender);
  }

  std::size_t Known(HistorySeries s, const Labels& labels) {
    s.labels = labels.Encode();
    const char k = static_cast<char>(s.kind);
    s.name = fmt::format("s{}", history_.series.size());
    const std::vector<std::string_view> parts{s.metric, s.unit, s.labels, {&k, 1}};
    s.fingerprint = FingerprintOf(parts);
    history_.series.push_back(s);
    return history_.series.size() - 1;
  }

  // Pods that live for minutes, some of them again when nobody waits for them any more.
  void PickChurn(std::int64_t length) {
    for (int pod = 0; pod < 40; ++pod) {
      HistorySeries s;
      s.metric = random_.Of({"c0", "c1", "g"});
      s.kind = s.metric == "g"
                   ? SeriesKind::kGauge
                   : random_.Of({SeriesKind::kCounterDelta, SeriesKind::kCounterCumulative});
      Labels labels;
      labels.Set("pod", random_.Chance(30) ? "p1" : fmt::format("n{}", pod));
      labels.Set("version", fmt::format("v{}", pod));
      Sender sender;
      sender.series = Known(s, labels);
      sender.interval = random_.Of({15'000, 30'000, 60'000});
      sender.from = random_.Below(length);
      sender.to = sender.from + random_.Between(5, 40) * kMinute;
      senders_.push_back(sender);
      if (random_.Chance(60)) continue;
      sender.from = sender.to + random_.Between(50, 300) * kMinute;
      sender.to = sender.from + random_.Between(5, 40) * kMinute;
      senders_.push_back(sender);
    }
  }

  void PickSeries(std::int64_t length) {
    for (pods_ = 0; pods_ < 5; ++pods_) {
      for (const char* metric : {"c0", "c1"}) {
        AddSeries(metric, random_.Of({SeriesKind::kCounterDelta, SeriesKind::kCounterCumulative}),
                  "", length);
      }
      AddSeries("g", SeriesKind::kGauge, "", length);
      AddSeries("d",
                random_.Of({SeriesKind::kObservation, SeriesKind::kHistogramDelta,
                            SeriesKind::kHistogramCumulative}),
                "ms", length);
    }
  }

  HistoryPoint PointOf(Sender& sender, std::int64_t at) {
    const HistorySeries& series = history_.series[sender.series];
    HistoryPoint p;
    p.series = sender.series;
    p.time = at - random_.Below(1500);
    const std::int64_t since = sender.last < 0 ? sender.interval : p.time - sender.last;
    const bool bad = series.metric == "c1";
    // The hours differ, so that much fires and recovers.
    const double level = (at / kHour + static_cast<std::int64_t>(history_.seed)) % 3 == 0 ? 3 : 1;
    const double count =
        std::floor(static_cast<double>(since) / 1000 * (bad ? 0.004 * level * level : 0.25) *
                   (0.5 + static_cast<double>(random_.Below(100)) / 100));
    switch (series.kind) {
      case SeriesKind::kCounterDelta:
        p.value = count;
        p.duration = random_.Chance(80) ? since : 0;
        break;
      case SeriesKind::kCounterCumulative:
        sender.total = random_.Chance(1) ? 0 : sender.total + count;
        p.value = sender.total;
        break;
      case SeriesKind::kGauge:
      case SeriesKind::kObservation:
        p.value = static_cast<double>(random_.Below(100)) * (series.metric == "d" ? 5 : 1);
        break;
      default:
        p.bounds = {100, 200, 500};
        for (int i = 0; i < 4; ++i)
          p.counts.push_back(static_cast<std::uint64_t>(random_.Below(9)));
        if (series.kind == SeriesKind::kHistogramCumulative) {
          sender.total += 1;
          for (std::uint64_t& n : p.counts) n = static_cast<std::uint64_t>(sender.total) * 3;
        } else {
          p.duration = since;
        }
        break;
    }
    sender.last = p.time;
    return p;
  }

  void Send(std::int64_t at) {
    HistoryRecord batch;
    batch.kind = HistoryRecord::Kind::kBatch;
    batch.at = at;
    batch.emitter = "e";
    for (Sender& sender : senders_) {
      if (at < sender.from || at > sender.to) continue;
      if (sender.last >= 0 && at - sender.last < sender.interval) continue;
      batch.points.push_back(PointOf(sender, at));
    }
    if (!batch.points.empty()) history_.records.push_back(std::move(batch));
  }

  Random random_;
  History history_;
  std::vector<Sender> senders_;
  int pods_ = 0;
};

}  // namespace

History MakeHistoryOfHours(std::uint64_t seed, std::int64_t hours) {
  return Maker(seed).Make(hours * kHour);
}

}  // namespace liveops::engine::oracle
