// "`at least N by L` counts the values of L whose silence is not proven. Fewer than N, the missing
// ones' silence proven, is true; while a missing one's is not proven it is unknown."
#include <algorithm>
#include <map>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kBeatAtFirstMs = 300'000;  // of one that spoke once, or never yet

}  // namespace

bool Watch::counts_itself() const {
  for (std::size_t t = 0; t < tests(); ++t) {
    if (counts(t) && own(t)) return true;
  }
  return false;
}

void Oracle::NameSpeaker(Watch& watch, std::size_t test, std::size_t series) const {
  const SeriesBook& book = points_.at(series);
  if (book.left) return;
  const plan::Operand& operand = watch.test(test).measure.operands.front();
  if (!operand.metric.empty() && operand.metric != book.metric) return;
  for (const plan::LabelMatch& match : operand.matches) {
    const std::string* value = book.labels.Find(match.name);
    if (((value == nullptr ? "" : *value) == match.value) == match.negate) return;
  }
  const std::string* value = book.labels.Find(operand.label);
  if (value == nullptr || value->empty()) return;
  watch.lateness = std::max(watch.lateness, LatenessFor(watch, book.slowest));
  const bool known =
      std::any_of(watch.speakers.begin(), watch.speakers.end(),
                  [&](const SpeakerBook& s) { return s.series == series && s.test == test; });
  if (!known) watch.speakers.push_back({series, test, *value});
}

// Readings: a value speaks while one of its series has a point in the window, or one that is not
// two of its beats old. It is silent when all of them are, as a counter or gauge is absent; but
// points that come behind the watermark, or from too far ahead, show that it lives.
Oracle::Heads Oracle::CountHeads(const Watch& watch, std::size_t test, std::int64_t end) const {
  const std::int64_t window = watch.test(test).window.count();
  struct Head {
    bool spoke = false;
    bool speaks = false;
    bool silent = true;
  };
  std::map<std::string, Head> heads;
  for (const SpeakerBook& speaker : watch.speakers) {
    if (speaker.test != test) continue;
    const SeriesBook& series = points_.at(speaker.series);
    Head& head = heads[speaker.value];
    const std::int64_t beat = series.Interval() > 0 ? series.Interval() : kBeatAtFirstMs;
    const std::int64_t length = std::max(window, IsGauge(series) ? 3 * beat : (5 * beat + 1) / 2);
    if (series.left) {
      head.spoke |= !series.heard().empty();
      continue;
    }
    head.silent &= series.named <= end - length && !Doubted(end - length);
    if (series.heard().empty()) continue;
    head.spoke = true;
    head.silent &= end - series.Newest() >= length;
    head.speaks |= end - series.Newest() < std::max(window, 2 * series.Interval());
  }
  Heads count;
  for (const auto& [value, head] : heads) {
    if (!head.spoke) continue;
    ++count.known;
    if (head.speaks) {
      ++count.here;
    } else if (!head.silent) {
      ++count.perhaps;
    }
  }
  return count;
}

// "Once it has been silent for an hour it is forgotten, unless it is needed to make up the N."
// Reading: a value goes by that of its series which spoke last.
void Oracle::ForgetSpeakers(Watch& watch, std::size_t test, std::int64_t before) const {
  const std::int64_t window = watch.test(test).window.count();
  const auto forgotten = [&](std::size_t id) {
    const SeriesBook& series = points_.at(id);
    const std::int64_t beat = series.Interval() > 0 ? series.Interval() : kBeatAtFirstMs;
    const std::int64_t length = std::max(window, IsGauge(series) ? 3 * beat : (5 * beat + 1) / 2);
    const bool silent = series.named <= watch.judged - length && !Doubted(watch.judged - length) &&
                        (series.heard().empty() || watch.judged - series.Newest() >= length);
    return series.named < before && (series.left || silent);
  };
  std::map<std::string, std::size_t> newest;
  for (const SpeakerBook& s : watch.speakers) {
    if (s.test != test) continue;
    const auto [it, fresh] = newest.emplace(s.value, s.series);
    if (!fresh && points_.at(s.series).Newest() > points_.at(it->second).Newest()) {
      it->second = s.series;
    }
  }
  std::erase_if(watch.speakers, [&](const SpeakerBook& s) {
    return s.test == test && newest.at(s.value) != s.series && forgotten(s.series);
  });
  std::multimap<std::int64_t, std::string> old;
  for (const auto& [value, series] : newest) {
    if (forgotten(series)) old.emplace(points_.at(series).Newest(), value);
  }
  std::size_t left = newest.size();
  for (const auto& [last, value] : old) {
    if (static_cast<double>(left) <= watch.test(test).threshold) break;
    std::erase_if(watch.speakers,
                  [&](const SpeakerBook& s) { return s.test == test && s.value == value; });
    --left;
  }
}

// Reading: where fewer than N ever spoke since the plan's activation, those who did not are given
// the time of one that spoke once.
Finding Oracle::DecideHeads(const Watch& watch, std::size_t test, std::int64_t end,
                            const Bar& bar) const {
  Finding f;
  f.at = end;
  f.shown = test;
  // Reading: over the last whole panes of its own, as every test.
  const std::int64_t pane = plan::PaneLength(watch.test(test).window).count();
  const Heads heads = CountHeads(watch, test, end / pane * pane);
  if (heads.known == 0) return f;
  const auto fewer = [&](std::size_t count) {
    return plan::Holds(static_cast<double>(count), bar.op, bar.threshold);
  };
  f.value = static_cast<double>(heads.here + heads.perhaps);
  const std::int64_t length = std::max(watch.test(test).window.count(), 5 * kBeatAtFirstMs / 2);
  const bool proven = !fewer(heads.known) || (end - watch.born >= length && !Doubted(end - length));
  if (!fewer(heads.here)) {
    f.truth = Truth::kFalse;
  } else if (fewer(heads.here + heads.perhaps) && proven) {
    f.truth = Truth::kTrue;
  }
  return f;
}

}  // namespace liveops::engine::oracle
