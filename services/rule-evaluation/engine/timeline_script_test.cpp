#include "services/rule-evaluation/engine/timeline_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/base/text.h"

namespace liveops::engine::testing {
namespace {

struct SeriesDef {
  std::string service = "shop";
  SeriesKind kind = SeriesKind::kGauge;
  std::string metric;
  std::string unit;
  std::string labels;
  Fingerprint fingerprint;
};

struct Range {
  std::int64_t from = 0;
  std::int64_t to = 0;
  bool Has(std::int64_t t) const { return t >= from && t <= to; }
};

class Reader {
 public:
  explicit Reader(const Script& script) : script_(script) {}
  // The records in order; `fault` says what is wrong with the script.
  std::deque<Held> Read(std::string& fault);

 private:
  void Line(std::string_view line);
  void SeriesLine(const std::vector<std::string>& words);
  void SampleLine(std::string_view when, const std::vector<std::string>& words);
  void Batch(std::int64_t time, const std::vector<std::string>& words);
  void AlertLine(const std::vector<std::string>& words);
  void Ticks();
  void Fail(std::string why) {
    if (fault_.empty()) fault_ = std::move(why);
  }
  std::int64_t Ms(std::string_view text);
  Range RangeOf(std::string_view text);
  Held& New(std::int64_t at);

  const Script& script_;
  std::string fault_;
  std::deque<Held> records_;
  std::map<std::string, SeriesDef, std::less<>> series_;
  std::vector<std::pair<std::string, Range>> ticks_;
  std::set<std::size_t> restarted_;  // indexes of ticks_
  std::vector<std::pair<std::string, Range>> refuse_;
  std::vector<std::pair<Range, std::int64_t>> broker_;
  std::map<std::int64_t, std::string> refused_;
  std::vector<std::pair<std::string, std::int64_t>> goodbyes_;
  std::map<std::string, std::uint64_t> sequences_;
  std::map<std::string, std::uint64_t> versions_;
  std::int64_t end_ = -1;
};

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view word : Split(text, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

std::int64_t Reader::Ms(std::string_view text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  const auto d = ParseDuration(text);
  if (!d.ok()) {
    Fail(d.error().message);
    return 0;
  }
  return minus ? -d->count() : d->count();
}

Range Reader::RangeOf(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return {Ms(text), Ms(text)};
  return {Ms(text.substr(0, dots)), Ms(text.substr(dots + 2))};
}

Held& Reader::New(std::int64_t at) {
  Held& held = records_.emplace_back();
  held.order = at;
  return held;
}

void Reader::SeriesLine(const std::vector<std::string>& words) {
  static const std::map<std::string, SeriesKind> kinds{
      {"delta", SeriesKind::kCounterDelta},
      {"cumulative", SeriesKind::kCounterCumulative},
      {"gauge", SeriesKind::kGauge},
      {"observation", SeriesKind::kObservation},
      {"histogram", SeriesKind::kHistogramDelta},
      {"histogram_cumulative", SeriesKind::kHistogramCumulative}};
  if (words.size() < 4 || !kinds.contains(words[2])) return Fail("series NAME KIND METRIC …");
  SeriesDef def;
  def.kind = kinds.at(words[2]);
  def.metric = words[3];
  Labels labels;
  for (std::size_t i = 4; i < words.size(); ++i) {
    const std::size_t eq = words[i].find('=');
    const std::string name = words[i].substr(0, eq);
    const std::string value = words[i].substr(eq + 1);
    if (name == "unit") {
      def.unit = value;
    } else if (name == "service") {
      def.service = value;
    } else {
      labels.Set(name, value);
    }
  }
  def.labels = labels.Encode();
  const std::vector<std::string_view> parts{def.service, def.metric, words[2], def.unit,
                                            def.labels};
  def.fingerprint = FingerprintOf(parts);
  series_[words[1]] = def;
}

void Reader::Batch(std::int64_t time, const std::vector<std::string>& words) {
  std::map<std::string, std::string> options;
  std::vector<PointDef> points;
  for (const std::string& word : words) {
    const std::size_t eq = word.find('=');
    if (word.starts_with('@')) {
      options[word.substr(1, eq - 1)] = eq == std::string::npos ? "" : word.substr(eq + 1);
      continue;
    }
    if (eq == std::string::npos || !series_.contains(word.substr(0, eq))) {
      return Fail("no such series: " + word);
    }
    PointDef point;
    point.series = word.substr(0, eq);
    std::string value = word.substr(eq + 1);
    if (const std::size_t slash = value.find('/'); slash != std::string::npos) {
      point.duration = Ms(value.substr(slash + 1));
      value.resize(slash);
    }
    if (value.find(':') == std::string::npos) {
      point.value = std::stod(value);
    } else {
      for (const std::string_view bucket : Split(value, ',')) {
        const std::size_t colon = bucket.find(':');
        const std::string bound(bucket.substr(0, colon));
        if (bound != "inf") point.bounds.push_back(std::stod(bound));
        point.counts.push_back(std::stoull(std::string(bucket.substr(colon + 1))));
        point.value += point.bounds.back() * static_cast<double>(point.counts.back());
      }
    }
    points.push_back(std::move(point));
  }
  const std::int64_t delay = options.contains("delay") ? Ms(options["delay"]) : 0;
  const std::int64_t shift = options.contains("event") ? Ms(options["event"]) : 0;
  Held& held = New(time + delay);
  BatchView batch;
  if (options.contains("otlp")) batch.protocol = Protocol::kOtlp;
  if (options.contains("remote")) batch.protocol = Protocol::kRemoteWrite;
  batch.base_time_ms = kNine + time + shift;
  bool durations = false;
  std::map<std::string, std::uint32_t> index;
  held.points.assign(points.begin(), points.end());
  for (const PointDef& point : held.points) {
    const SeriesDef& def = series_[point.series];
    batch.service = held.Keep(def.service);
    if (!index.contains(point.series)) {
      index.emplace(point.series, static_cast<std::uint32_t>(held.series.size()));
      held.series.push_back({def.fingerprint, def.kind, held.Keep(def.metric), held.Keep(def.unit),
                             held.Keep(def.labels)});
    }
    const std::uint32_t id = index[point.series];
    if (!point.bounds.empty()) {
      HistogramView h;
      h.series = id;
      h.duration_ms = static_cast<std::uint64_t>(point.duration);
      h.sum = point.value;
      for (const std::uint64_t n : point.counts) h.count += n;
      h.bounds = point.bounds;
      h.bucket_counts = point.counts;
      held.histograms.push_back(h);
    } else {
      held.point_series.push_back(id);
      held.deltas.push_back(0);
      held.durations.push_back(static_cast<std::uint64_t>(point.duration));
      held.values.push_back(point.value);
      durations |= point.duration > 0;
    }
  }
  if (!durations) held.durations.clear();
  batch.series = held.series;
  batch.point_series = held.point_series;
  batch.point_time_delta_ms = held.deltas;
  batch.point_duration_ms = held.durations;
  batch.point_value = held.values;
  batch.histograms = held.histograms;
  const std::string emitter = options.contains("emitter") ? options["emitter"] : "e";
  held.view.source.emitter = held.Keep(emitter);
  held.view.source.session = options.contains("session") ? std::stoull(options["session"]) : 1;
  if (batch.protocol == Protocol::kNative && !options.contains("noseq")) {
    held.view.source.sequence =
        options.contains("seq") ? std::stoull(options["seq"]) : ++sequences_[emitter];
  }
  held.view.body = batch;
}

void Reader::SampleLine(std::string_view when, const std::vector<std::string>& words) {
  const std::vector<std::string> parts = Words(when);
  const Range range = RangeOf(parts[0]);
  const std::int64_t step = parts.size() == 3 && parts[1] == "every" ? Ms(parts[2]) : 1;
  if (parts.size() != 1 && (parts.size() != 3 || step <= 0)) return Fail("T: or T..T every D:");
  for (std::int64_t t = range.from; t <= range.to; t += step) Batch(t, words);
}

void Reader::AlertLine(const std::vector<std::string>& words) {
  if (words.size() < 4) return Fail("alert T SOURCE NAME firing|over …");
  Range range = RangeOf(words[1]);
  std::int64_t step = 1;
  std::size_t next = 2;
  if (words[2] == "every") {
    step = Ms(words[3]);
    next = 4;
  }
  for (std::int64_t t = range.from; t <= range.to; t += step) {
    Held& held = New(t);
    ExternalAlertView alert;
    alert.service = "shop";
    alert.source = held.Keep(words.at(next));
    alert.name = held.Keep(words.at(next + 1));
    alert.firing = words.at(next + 2) == "firing";
    std::int64_t starts = range.from;
    std::int64_t until = t + (alert.firing ? 240'000 : 0);
    bool forever = false;
    Labels labels;
    for (std::size_t i = next + 3; i < words.size(); ++i) {
      const std::size_t eq = words[i].find('=');
      const std::string name = words[i].substr(0, eq);
      const std::string value = words[i].substr(eq + 1);
      if (name == "@since") {
        starts = Ms(value);
      } else if (name == "@until") {
        forever = value == "otherwise";
        if (!forever) until = Ms(value);
      } else if (name == "@severity") {
        alert.severity = held.Keep(value);
      } else if (name == "@summary") {
        alert.summary = held.Keep(value);
      } else if (name == "@link") {
        alert.link = held.Keep(value);
      } else if (name == "@service") {
        alert.service = held.Keep(value);
      } else {
        labels.Set(name, value);
      }
    }
    alert.starts = InstantFromMs(kNine + starts);
    if (!forever) alert.until = InstantFromMs(kNine + until);
    alert.labels = held.Keep(labels.Encode());
    held.view.source.emitter = "ingest";
    held.view.source.session = 1;
    held.view.source.sequence = ++sequences_["ingest"];
    held.view.body = alert;
  }
}

void Reader::Line(std::string_view line) {
  line = Trim(line.substr(0, line.find('#')));
  if (line.empty()) return;
  std::vector<std::string> w = Words(line);
  if (line[0] >= '0' && line[0] <= '9') {
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return Fail("no colon: " + std::string(line));
    return SampleLine(line.substr(0, colon), Words(line.substr(colon + 2)));
  }
  if (w[0] == "series") return SeriesLine(w);
  if (w.size() < 2) return Fail("cannot read: " + std::string(line));
  if (w[0] == "end") {
    end_ = Ms(w[1]);
  } else if (w[0] == "ticks") {
    ticks_.emplace_back(w[1], RangeOf(w.at(2)));
    if (w.size() > 3 && w[3] == "new") restarted_.insert(ticks_.size() - 1);
  } else if (w[0] == "refuse") {
    refuse_.emplace_back(w[1], RangeOf(w.at(2)));
  } else if (w[0] == "refused") {
    refused_[Ms(w[1])] = w.at(2);
  } else if (w[0] == "goodbye") {
    goodbyes_.emplace_back(w[1], Ms(w.at(2)));
  } else if (w[0] == "broker") {
    broker_.emplace_back(RangeOf(w[1]), Ms(w.at(2)));
  } else if (w[0] == "show") {
    New(Ms(w[1])).show = w.at(2);
  } else if (w[0] == "plan") {
    const auto it = script_.plans.find(w.at(2));
    if (it == script_.plans.end()) return Fail("no plan " + w[2]);
    Held& held = New(Ms(w[1]));
    PlanActivationView plan;
    plan.service = "shop";
    plan.version = w.size() > 3 ? std::stoull(w[3].substr(1)) : ++versions_["shop"];
    versions_["shop"] = std::max(versions_["shop"], plan.version);
    plan.text = held.Keep(it->second);
    held.view.body = plan;
  } else if (w[0] == "probe") {
    Held& held = New(Ms(w[1]));
    ProbeStartView probe;
    probe.service = "shop";
    probe.probe_id = held.Keep(w.at(2));
    probe.within = Duration(Ms(w.at(3).substr(7)));
    const std::size_t at = line.find(w[3]) + w[3].size();
    probe.expression = held.Keep(std::string(Trim(line.substr(at))));
    held.view.body = probe;
  } else if (w[0] == "alert") {
    AlertLine(w);
  } else if (w[0] == "decommission") {
    ReadDecommission(w, InstantFromMs(kNine + Ms(w[1])), New(Ms(w[1])));
  } else if (w[0] == "deploy") {
    Held& held = New(Ms(w[1]));
    DeploymentView d;
    d.service = "shop";
    d.revision = held.Keep(w.at(2));
    d.description = held.Keep(w.size() > 3 ? w[3] : "");
    d.time = InstantFromMs(kNine + Ms(w[1]));
    held.view.body = d;
  } else {
    Fail("cannot read: " + std::string(line));
  }
}

void Reader::Ticks() {
  if (ticks_.empty()) ticks_.emplace_back("i", Range{0, end_});
  std::map<std::string, std::uint64_t> sessions;
  for (std::size_t i = 0; i < ticks_.size(); ++i) {
    const auto& [instance, range] = ticks_[i];
    const std::uint64_t session = sessions[instance] += restarted_.contains(i) ? 1 : 0;
    for (std::int64_t t = range.from; t <= range.to; t += 250) {
      Held& held = New(t);
      TickView tick;
      tick.instance = held.Keep(instance);
      tick.session = session;
      tick.steady_ms = 77'000 + t;
      for (const auto& [name, off] : refuse_) {
        if (name == instance && off.Has(t)) tick.accepting = false;
      }
      for (const auto& [name, at] : goodbyes_)
        tick.goodbye = tick.goodbye || (name == instance && at == t);
      if (instance == "i" && refused_.contains(t)) {
        tick.refused_any_service = refused_[t] == "*";
        if (!tick.refused_any_service) held.refused.emplace_back(held.Keep(refused_[t]), 5);
        tick.refused_points = held.refused;
      }
      held.view.body = tick;
      if (tick.goodbye) break;
    }
  }
}

std::deque<Held> Reader::Read(std::string& fault) {
  for (const std::string_view line : Split(script_.text, '\n')) Line(line);
  if (end_ < 0) Fail("no end");
  Ticks();
  std::stable_sort(records_.begin(), records_.end(), [](const Held& a, const Held& b) {
    const bool tick_a = std::holds_alternative<TickView>(a.view.body) && a.show.empty();
    const bool tick_b = std::holds_alternative<TickView>(b.view.body) && b.show.empty();
    // At one moment: ticks, then what else was written, then a look at it.
    const int rank_a = !a.show.empty() ? 2 : tick_a ? 0 : 1;
    const int rank_b = !b.show.empty() ? 2 : tick_b ? 0 : 1;
    return a.order != b.order ? a.order < b.order : rank_a < rank_b;
  });
  std::int64_t offset = 0;
  for (Held& held : records_) {
    if (!held.show.empty()) continue;
    held.view.offset = offset++;
    std::int64_t real = ToMs(script_.map.ToReal(InstantFromMs(kNine + held.order)));
    for (const auto& [range, shift] : broker_) {
      if (range.Has(held.order)) real += shift;
    }
    held.view.append_time = RealFromMs(real);
    if (auto* tick = std::get_if<TickView>(&held.view.body)) {
      tick->steady_ms = 77'000 + ToMs(script_.map.ToReal(InstantFromMs(kNine + held.order)));
    }
  }
  fault = fault_;
  return std::move(records_);
}

}  // namespace

std::deque<Held> ReadScript(const Script& script, std::string& fault) {
  return Reader(script).Read(fault);
}

}  // namespace liveops::engine::testing
