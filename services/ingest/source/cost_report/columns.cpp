#include "services/ingest/source/cost_report/columns.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "services/ingest/source/alert/json_reading.h"

namespace liveops::ingest::cost {
namespace {

constexpr std::size_t kDialects = 3;  // CUR, CUR 2.0, FOCUS
using Names = std::array<std::string_view, kDialects>;

// By Column.
constexpr std::array<Names, kColumns> kNames = {{
    {"lineItem/UsageStartDate", "line_item_usage_start_date", "ChargePeriodStart"},
    {"lineItem/UsageEndDate", "line_item_usage_end_date", "ChargePeriodEnd"},
    {"lineItem/UnblendedCost", "line_item_unblended_cost", "BilledCost"},
    {"lineItem/CurrencyCode", "line_item_currency_code", "BillingCurrency"},
    {"lineItem/UsageAccountId", "line_item_usage_account_id", "SubAccountId"},
    {"lineItem/ProductCode", "line_item_product_code", "ServiceName"},
    {"product/regionCode", "product_region_code", "RegionId"},
    {"lineItem/LineItemType", "line_item_line_item_type", "ChargeCategory"},
    {"lineItem/UsageType", "line_item_usage_type", "SkuId"},
    {"lineItem/UsageAmount", "line_item_usage_amount", "ConsumedQuantity"},
    {"pricing/unit", "pricing_unit", "ConsumedUnit"},
    {"lineItem/ResourceId", "line_item_resource_id", "ResourceId"},
}};
constexpr std::array<Column, 4> kNeeded = {Column::kStart, Column::kEnd, Column::kCost,
                                           Column::kProduct};
constexpr std::array<std::string_view, 4> kTagPrefixes = {"resourceTags/user:", "resourceTags/",
                                                          "resource_tags_user_", "resource_tags_"};
constexpr std::array<std::string_view, 2> kAllTags = {"resource_tags", "Tags"};

std::optional<std::size_t> Find(const std::vector<std::string_view>& header,
                                std::string_view name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

}  // namespace

Result<Columns> Columns::Of(const std::vector<std::string_view>& header,
                            const std::vector<std::string>& tags) {
  // The dialect with the most of its names in the header.
  std::size_t dialect = 0;
  std::ptrdiff_t most = -1;
  for (std::size_t d = 0; d < kDialects; ++d) {
    const auto there = std::count_if(kNames.begin(), kNames.end(), [&](const Names& names) {
      return Find(header, names[d]).has_value();
    });
    if (there > most) dialect = d;
    most = std::max(most, there);
  }
  Columns out;
  out.size_ = header.size();
  for (const Names& names : kNames)
    out.places_.push_back({std::string(names[dialect]), Find(header, names[dialect])});
  if (most == 0) {
    return InvalidError(
        "the first line names no column of a Cost and Usage Report or of FOCUS, "
        "such as lineItem/UnblendedCost, line_item_unblended_cost, BilledCost");
  }
  for (const Column needed : kNeeded) {
    if (!out.has(needed)) return InvalidError("the first line has no column " + out.name(needed));
  }
  for (const std::string& tag : tags) {
    TagPlace& place = out.tags_.emplace_back();
    place.tag = tag;
    for (const std::string_view prefix : kTagPrefixes) {
      if (!place.index) place.index = Find(header, std::string(prefix) + tag);
    }
  }
  for (const std::string_view name : kAllTags) {
    if (!out.all_tags_) out.all_tags_ = Find(header, name);
  }
  return out;
}

std::string_view Columns::Text(Column column, const std::vector<std::string_view>& fields) const {
  const auto& index = At(column).index;
  return index ? fields[*index] : std::string_view();
}

std::string Columns::Tag(std::string_view tag, const std::vector<std::string_view>& fields) const {
  for (const TagPlace& place : tags_) {
    if (place.tag != tag || !place.index) continue;
    return std::string(fields[*place.index]);
  }
  if (!all_tags_) return "";
  const Result<source::Json> json = source::ReadJson(fields[*all_tags_]);
  if (!json) return "";
  std::string found = source::TextAt(*json, std::string(tag).c_str());
  return found.empty() ? source::TextAt(*json, ("user_" + std::string(tag)).c_str()) : found;
}

}  // namespace liveops::ingest::cost
