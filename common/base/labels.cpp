#include "common/base/labels.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/bytes.h"

namespace liveops {
namespace {

void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

Labels::Labels(Pairs pairs) {
  for (auto& [name, value] : pairs) Set(name, value);
}

const std::string* Labels::Find(std::string_view name) const {
  const auto it =
      std::lower_bound(pairs_.begin(), pairs_.end(), name,
                       [](const auto& pair, std::string_view n) { return pair.first < n; });
  return it != pairs_.end() && it->first == name ? &it->second : nullptr;
}

void Labels::Set(std::string_view name, std::string_view value) {
  const auto it =
      std::lower_bound(pairs_.begin(), pairs_.end(), name,
                       [](const auto& pair, std::string_view n) { return pair.first < n; });
  if (it != pairs_.end() && it->first == name) {
    it->second = std::string(value);
  } else {
    pairs_.emplace(it, std::string(name), std::string(value));
  }
}

std::string Labels::Encode() const {
  ByteWriter out;
  for (const auto& [name, value] : pairs_) {
    out.String(name);
    out.String(value);
  }
  return out.Take();
}

std::optional<Labels> Labels::Decode(std::string_view bytes) {
  ByteReader in(bytes);
  Labels labels;
  while (in.ok() && !in.AtEnd()) {
    const std::string_view name = in.String();
    const std::string_view value = in.String();
    if (!in.ok()) return std::nullopt;
    if (!labels.pairs_.empty() && labels.pairs_.back().first >= name) return std::nullopt;
    labels.pairs_.emplace_back(std::string(name), std::string(value));
  }
  if (!in.ok()) return std::nullopt;
  return labels;
}

std::string Labels::ToString() const {
  if (pairs_.empty()) return "";
  std::string out = "{";
  for (const auto& [name, value] : pairs_) {
    if (out.size() > 1) out.push_back(',');
    AppendEscaped(out, name);
    out += "=\"";
    AppendEscaped(out, value);
    out.push_back('"');
  }
  out.push_back('}');
  return out;
}

}  // namespace liveops
