#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "common/wire/writer.h"
#include "services/ingest/admit/admit.h"

namespace liveops::admit {
namespace {

constexpr std::size_t kShownBytes = 40;

std::string Shown(std::string_view text) {
  return "\"" + ScrubUtf8(Truncate(text, kShownBytes)) + "\"";
}

Status CheckPair(std::string_view name, std::string_view value, const Limits& limits) {
  if (name.empty()) return InvalidError("a label has no name");
  if (name.size() > limits.label_name_bytes) {
    return InvalidError("label name " + Shown(name) + " is " + std::to_string(name.size()) +
                        " bytes long, at most " + std::to_string(limits.label_name_bytes) +
                        " are allowed");
  }
  if (!IsPlainText(name))
    return InvalidError("label name " + Shown(name) + " is not UTF-8 or has control characters");
  if (value.size() > limits.label_value_bytes) {
    return InvalidError("the value of label " + Shown(name) + " is " +
                        std::to_string(value.size()) + " bytes long, at most " +
                        std::to_string(limits.label_value_bytes) + " are allowed");
  }
  if (!IsValidUtf8(value))
    return InvalidError("the value of label " + Shown(name) + " is not UTF-8");
  return {};
}

using Pair = std::pair<std::string_view, std::string_view>;

std::size_t EncodedSize(std::string_view text) {
  return wire::VarintSize(text.size()) + text.size();
}

std::string Sorted(std::string_view pairs) {
  ByteReader reader(pairs);
  std::vector<Pair> found;
  while (!reader.AtEnd()) {
    const std::string_view name = reader.String();
    found.emplace_back(name, reader.String());
  }
  std::sort(found.begin(), found.end());
  ByteWriter writer;
  for (const auto& [name, value] : found) {
    writer.String(name);
    writer.String(value);
  }
  return writer.Take();
}

Status CheckNoNameTwice(std::string_view sorted) {
  ByteReader reader(sorted);
  std::string_view last;
  while (!reader.AtEnd()) {
    const std::string_view name = reader.String();
    reader.String();
    if (name == last) return InvalidError("label " + Shown(name) + " stands twice");
    last = name;
  }
  return {};
}

}  // namespace

Result<std::string_view> CanonicalLabels(std::string_view pairs, const Limits& limits,
                                         std::deque<std::string>& rewritten) {
  ByteReader reader(pairs);
  std::string_view last;  // no label's name is empty
  std::size_t count = 0;
  std::size_t size = 0;
  bool ascending = true;
  while (!reader.AtEnd()) {
    const std::string_view name = reader.String();
    const std::string_view value = reader.String();
    if (!reader.ok()) return InvalidError("the label bytes are cut off");
    if (++count > limits.labels_per_series) {
      return InvalidError("the series has more than " + std::to_string(limits.labels_per_series) +
                          " labels");
    }
    if (const Status s = CheckPair(name, value, limits); !s) return s.error();
    ascending &= last < name;
    size += EncodedSize(name) + EncodedSize(value);
    last = name;
  }
  if (ascending && size == pairs.size()) return pairs;
  std::string sorted = Sorted(pairs);
  if (const Status s = CheckNoNameTwice(sorted); !s) return s.error();
  return std::string_view(rewritten.emplace_back(std::move(sorted)));
}

}  // namespace liveops::admit
