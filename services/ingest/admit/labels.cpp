#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "services/ingest/admit/admit.h"
#include "services/ingest/admit/words.h"

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
  if (!IsPlainWord(name))
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

}  // namespace

bool IsPlainWord(std::string_view text) {
  return IsValidUtf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

Result<std::string> CanonicalLabels(std::string_view pairs, const Limits& limits) {
  ByteReader reader(pairs);
  std::vector<std::pair<std::string_view, std::string_view>> found;
  while (reader.ok() && !reader.AtEnd()) {
    const std::string_view name = reader.String();
    const std::string_view value = reader.String();
    if (!reader.ok()) break;
    if (found.size() == limits.labels_per_series) {
      return InvalidError("the series has more than " + std::to_string(limits.labels_per_series) +
                          " labels");
    }
    if (const Status s = CheckPair(name, value, limits); !s) return s.error();
    found.emplace_back(name, value);
  }
  if (!reader.ok()) return InvalidError("the label bytes are cut off");
  const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
  const bool sorted = std::is_sorted(found.begin(), found.end(), by_name);
  if (!sorted) std::sort(found.begin(), found.end(), by_name);
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i].first == found[i - 1].first)
      return InvalidError("label " + Shown(found[i].first) + " stands twice");
  }
  // Written anew even when sorted: a length may have been spelled in more bytes than it needs.
  ByteWriter writer;
  for (const auto& [name, value] : found) {
    writer.String(name);
    writer.String(value);
  }
  return writer.Take();
}

}  // namespace liveops::admit
