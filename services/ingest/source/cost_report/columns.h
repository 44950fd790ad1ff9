#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// Inside this folder: what the columns of a report are called.
namespace liveops::ingest::cost {

enum class Column {
  kStart,
  kEnd,
  kCost,
  kCurrency,
  kAccount,
  kProduct,
  kRegion,
  kCharge,
  kUsageType,
  kUsage,
  kUsageUnit,
  kResource,
};
inline constexpr std::size_t kColumns = 12;

// Where a report has its columns, by its first line: the names of AWS' legacy Cost and Usage Report
// (https://docs.aws.amazon.com/cur/latest/userguide/data-dictionary.html), of CUR 2.0
// (https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html), and of FOCUS 1.0
// (https://focus.finops.org/focus-specification/).
class Columns {
 public:
  // kInvalid: a column is missing that must be there; the message names it.
  static Result<Columns> Of(const std::vector<std::string_view>& header,
                            const std::vector<std::string>& tags);

  const std::string& name(Column column) const { return At(column).name; }
  bool has(Column column) const { return At(column).index.has_value(); }
  // "" where there is none.
  std::string_view Text(Column column, const std::vector<std::string_view>& fields) const;
  // The value of a tag, one of those that Of was told; "" where the line has none.
  std::string Tag(std::string_view tag, const std::vector<std::string_view>& fields) const;
  std::size_t size() const { return size_; }

 private:
  struct Place {
    std::string name;
    std::optional<std::size_t> index;
  };
  struct TagPlace {
    std::string tag;
    std::optional<std::size_t> index;
  };
  const Place& At(Column column) const { return places_[static_cast<std::size_t>(column)]; }

  std::vector<Place> places_;
  std::vector<TagPlace> tags_;
  std::optional<std::size_t> all_tags_;  // of a column that holds all of them, as JSON
  std::size_t size_ = 0;
};

}  // namespace liveops::ingest::cost
