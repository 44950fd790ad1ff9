#include "services/ingest/admit/series_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/labels.h"
#include "common/base/text.h"

namespace liveops::admit {
namespace {

// Room for so many more. Not as many as that exactly: a table grows by little, often.
template <typename T>
void Grow(std::vector<T>& list, std::size_t more) {
  const std::size_t wanted = list.size() + more;
  if (wanted > list.capacity()) list.reserve(std::max(wanted, 2 * list.capacity()));
}

}  // namespace

void SeriesTable::Add(std::span<const std::string_view> strings,
                      std::span<const SeriesInput> series) {
  Grow(words_, strings.size());
  for (const std::string_view text : strings) words_.push_back({text, {}, 0, 0});
  Grow(entries_, series.size());
  for (const SeriesInput& input : series) entries_.emplace_back().input = input;
}

bool SeriesTable::IsPlain(std::uint32_t string) {
  Word& word = words_[string];
  if (!word.plain) word.plain = IsPlainText(word.text);
  return *word.plain;
}

void SeriesTable::Refuse(std::uint32_t series, Refusal why, std::string problem) {
  entries_[series].refusal = why;
  problems_[series] = std::move(problem);
}

void SeriesTable::Check(std::uint32_t series) {
  Entry& entry = entries_[series];
  const SeriesInput& input = entry.input;
  entry.checked = true;
  const auto fail = [&](Refusal why, std::string problem) {
    Refuse(series, why, std::move(problem));
  };
  const auto unsound = [&](const char* what, std::size_t bytes_max) {
    return std::string(what) + " is longer than " + std::to_string(bytes_max) +
           " bytes, not UTF-8, or has control characters";
  };
  if (input.kind < static_cast<int>(SeriesKind::kCounterDelta) ||
      input.kind > static_cast<int>(SeriesKind::kHistogramCumulative)) {
    return fail(Refusal::kBadKind, "kind " + std::to_string(input.kind) + " is not known");
  }
  if (input.metric >= words_.size() || input.unit >= words_.size()) {
    return fail(Refusal::kBadMetric, "its name or unit is not in the string table");
  }
  const std::string_view metric = words_[input.metric].text;
  const std::string_view unit = words_[input.unit].text;
  if (metric.empty()) return fail(Refusal::kBadMetric, "the metric has no name");
  if (metric.size() > limits_.metric_bytes || !IsPlain(input.metric)) {
    return fail(Refusal::kBadMetric, unsound("the metric's name", limits_.metric_bytes));
  }
  if (unit.size() > limits_.unit_bytes || !IsPlain(input.unit)) {
    return fail(Refusal::kBadMetric, unsound("the unit", limits_.unit_bytes));
  }
  const auto labels = CanonicalLabels(input.labels, limits_, rewritten_);
  if (!labels) return fail(Refusal::kBadLabels, labels.error().message);
  entry.labels = *labels;
  const char kind = static_cast<char>(input.kind);
  const std::array<std::string_view, 5> identity = {service_, metric, std::string_view(&kind, 1),
                                                    unit, entry.labels};
  entry.fingerprint = FingerprintOf(identity);
}

std::uint32_t SeriesTable::PlaceOf(std::uint32_t string, std::vector<std::string_view>& strings) {
  Word& word = words_[string];
  if (word.batch != batch_) {
    word.batch = batch_;
    word.place = static_cast<std::uint32_t>(strings.size());
    strings.push_back(word.text);
  }
  return word.place;
}

std::string SeriesTable::NameOf(std::uint32_t series) const {
  const Entry& entry = entries_[series];
  std::string name = entry.input.metric < words_.size()
                         ? ScrubUtf8(Truncate(words_[entry.input.metric].text, 100))
                         : "series " + std::to_string(series);
  if (const auto labels = Labels::Decode(entry.labels)) name += labels->ToString();
  return name;
}

}  // namespace liveops::admit
