#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace liveops {

// Label pairs sorted by name, names unique. The value type of a series' or a group's labels.
class Labels {
 public:
  Labels() = default;
  // Sorts; of equal names the last given wins.
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  explicit Labels(Pairs pairs);

  const std::string* Find(std::string_view name) const;
  void Set(std::string_view name, std::string_view value);
  bool empty() const { return pairs_.empty(); }
  std::size_t size() const { return pairs_.size(); }
  auto begin() const { return pairs_.begin(); }
  auto end() const { return pairs_.end(); }

  // Canonical bytes: name, value, name, value, … each with its length in front
  // (ByteWriter::String).
  std::string Encode() const;
  // Refuses truncated bytes and names that are not strictly ascending.
  static std::optional<Labels> Decode(std::string_view bytes);

  // `{name="value",…}` with `\`, `"` and control characters escaped; "" when empty.
  std::string ToString() const;

  friend bool operator==(const Labels&, const Labels&) = default;
  friend auto operator<=>(const Labels&, const Labels&) = default;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace liveops
