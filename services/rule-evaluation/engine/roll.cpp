// Who reports: the values of a label, each as long as one of its series does. A series knows itself
// when it spoke, so no point is taken anywhere for it.
#include <algorithm>
#include <limits>

#include "services/rule-evaluation/engine/state.h"

namespace liveops::engine {
namespace {

enum class Speech { kReports, kUnproven, kAbsent };

// Behind what is judged points do not count, but show that their series lives.
Speech SpeechOf(const State& s, const Rule& rule, std::int64_t window_ms, std::uint32_t id,
                std::int64_t end_ms) {
  const Series& series = s.series.at(id);
  if (series.left) return Speech::kAbsent;
  const std::int64_t interval = series.Interval();
  const std::int64_t from_ms = std::max(end_ms - std::max(window_ms, 2 * interval),
                                        rule.probe ? ToMs(rule.probe->started) : std::int64_t{0});
  if (series.last_ms > from_ms) return Speech::kReports;
  const std::int64_t after = AbsentAfter(window_ms, interval, series.kind == SeriesKind::kGauge);
  const bool absent = end_ms - series.last_ms >= after && series.seen_ms <= end_ms - after &&
                      !Doubted(s, rule, end_ms - after);
  return absent ? Speech::kAbsent : Speech::kUnproven;
}

// Of a label value: that of the series that says most.
struct Voice {
  Speech speech = Speech::kAbsent;
  std::int64_t last_ms = 0;  // 0 = it never spoke
};

Voice VoiceOf(const State& s, const Rule& rule, const Cells& cells,
              const std::vector<std::uint32_t>& series, std::int64_t end_ms) {
  Voice voice;
  for (const std::uint32_t id : series) {
    voice.last_ms = std::max(voice.last_ms, s.series.at(id).last_ms);
    voice.speech =
        std::min(voice.speech, SpeechOf(s, rule, rule.window_ms(cells.test), id, end_ms));
    if (voice.speech == Speech::kReports) break;
  }
  return voice;
}

// Of a series that is named, but whose every point was refused, nothing is known.
double Spoken(const State& s, const Cells& cells) {
  const auto spoke = [&](std::uint32_t id) { return s.series.at(id).last_ms > 0; };
  return static_cast<double>(std::count_if(cells.roll.begin(), cells.roll.end(), [&](auto& entry) {
    return std::any_of(entry.second.begin(), entry.second.end(), spoke);
  }));
}

void Strike(State& s, Rule& rule, std::uint32_t id) {
  BeforeSeries(s, id);
  Series& series = s.series.at(id);
  if (--series.members == 0) series.labels.clear();
  series.generation = 0;
  --rule.rolled;
}

}  // namespace

bool Enrol(State& s, Rule& rule, Cells& cells, std::uint32_t id, const std::string& value) {
  auto& series = cells.roll[value];
  const auto at = std::lower_bound(series.begin(), series.end(), id);
  if (at != series.end() && *at == id) return false;
  series.insert(at, id);
  ++s.series.at(id).members;
  rule.seen = true;
  ++s.changes;
  if (++rule.rolled == 1) Schedule(s, rule);
  return true;
}

void ForgetRoll(State& s, Rule& rule, Cells& cells) {
  for (const auto& [value, series] : cells.roll) {
    for (const std::uint32_t id : series) Strike(s, rule, id);
  }
  cells.roll.clear();
}

void TrimRoll(State& s, Rule& rule, Cells& cells, std::int64_t before_ms) {
  const std::int64_t end_ms = rule.judged_ms();
  const std::int64_t window_ms = rule.window_ms(cells.test);
  std::vector<Missing> old;
  for (auto& [value, series] : cells.roll) {
    const auto forgotten = [&](std::uint32_t id) {
      return s.series.at(id).seen_ms < before_ms &&
             SpeechOf(s, rule, window_ms, id, end_ms) == Speech::kAbsent;
    };
    const auto later = [&](std::uint32_t a, std::uint32_t b) {
      return s.series.at(a).last_ms < s.series.at(b).last_ms;
    };
    const std::uint32_t newest = *std::max_element(series.begin(), series.end(), later);
    if (forgotten(newest)) old.push_back({value, s.series.at(newest).last_ms});
    std::erase_if(series, [&](std::uint32_t id) {
      const bool goes = id != newest && forgotten(id);
      if (goes) Strike(s, rule, id);
      return goes;
    });
  }
  std::stable_sort(old.begin(), old.end(),
                   [](const Missing& a, const Missing& b) { return a.last_ms < b.last_ms; });
  // Whoever makes up the number stays, so that a page can name it.
  const double wanted = rule.test(cells.test).threshold;
  for (const Missing& one : old) {
    if (static_cast<double>(cells.roll.size()) <= wanted) return;
    const auto it = cells.roll.find(one.value);
    for (const std::uint32_t id : it->second) Strike(s, rule, id);
    cells.roll.erase(it);
  }
}

Reading CountReporters(const State& s, const Rule& rule, const Cells& cells, std::int64_t end_ms) {
  Reading out;
  for (const auto& [value, series] : cells.roll) {
    const Voice voice = VoiceOf(s, rule, cells, series, end_ms);
    if (voice.last_ms == 0) continue;
    out.known = true;
    out.low += voice.speech == Speech::kReports ? 1 : 0;
    out.high += voice.speech != Speech::kAbsent ? 1 : 0;
  }
  out.value = out.high;
  return out;
}

RollCall CallRoll(const State& s, const Rule& rule, const Cells& cells, std::int64_t end_ms,
                  plan::Comparison op, double threshold, const Reading& count) {
  const bool low = plan::Holds(count.low, op, threshold);
  const bool high = plan::Holds(count.high, op, threshold);
  if (low != high) return {Verdict::kUnknown, Why::kQuiet};
  if (!low) return {Verdict::kFalse, Why::kJudged};
  // If all who ever spoke did, would it be so too? Then somebody may be missing of whom nothing is
  // known: he is given the time of a series that spoke once.
  if (!plan::IsUpward(op) && plan::Holds(Spoken(s, cells), op, threshold)) {
    const std::int64_t after = AbsentAfter(rule.window_ms(cells.test), 0, false);
    if (end_ms - rule.born_ms < after || Doubted(s, rule, end_ms - after)) {
      return {Verdict::kUnknown, Why::kNotCovered};
    }
  }
  return {Verdict::kTrue, Why::kJudged};
}

std::vector<Missing> MissingOf(const State& s, const Rule& rule, const Cells& cells,
                               std::int64_t end_ms) {
  std::vector<Missing> missing;
  for (const auto& [value, series] : cells.roll) {
    // Who left in order is not missed, though he does not count.
    const bool left = std::all_of(series.begin(), series.end(),
                                  [&](std::uint32_t id) { return s.series.at(id).left; });
    if (left) continue;
    const Voice voice = VoiceOf(s, rule, cells, series, end_ms);
    if (voice.speech == Speech::kAbsent && voice.last_ms > 0) {
      missing.push_back({value, voice.last_ms});
    }
  }
  std::stable_sort(missing.begin(), missing.end(),
                   [](const Missing& a, const Missing& b) { return a.last_ms > b.last_ms; });
  return missing;
}

}  // namespace liveops::engine
