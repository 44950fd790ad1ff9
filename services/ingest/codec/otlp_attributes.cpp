#include "services/ingest/codec/otlp_attributes.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/wire/writer.h"
#include "services/ingest/codec/attributes.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

// Stable, and quick for the few that a point has, which mostly are in order.
void SortByKey(std::vector<Attribute>& list) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    const Attribute moved = list[i];
    std::size_t at = i;
    for (; at > 0 && moved.key < list[at - 1].key; --at) list[at] = list[at - 1];
    list[at] = moved;
  }
}

void KeepLastOfEqualKeys(std::vector<Attribute>& sorted) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i + 1 < sorted.size() && sorted[i].key == sorted[i + 1].key) continue;
    sorted[kept++] = sorted[i];
  }
  sorted.resize(kept);
}

}  // namespace

bool AttributeList::Add(std::string_view message) {
  // As every exporter writes it: the key, then a value that is one text or number.
  wire::Reader in(message);
  std::string_view key;
  std::string_view value;
  if (!in.At<Tag(1, Type::kBytes)>() || !in.Text(key) || !in.At<Tag(2, Type::kBytes)>() ||
      !in.Bytes(value) || !in.AtEnd()) {
    return AddOther(message);
  }
  wire::Reader inside(value);
  if (inside.At<Tag(1, Type::kBytes)>()) {
    std::string_view text;
    if (!inside.Text(text) || !inside.AtEnd()) return AddOther(message);
    list_.push_back({key, text});
    return true;
  }
  if (inside.At<Tag(3, Type::kVarint)>()) {
    std::uint64_t number = 0;
    if (!inside.Varint(number) || !inside.AtEnd()) return AddOther(message);
    char digits[24];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr;
    list_.push_back({key, Keep({digits, static_cast<std::size_t>(end - digits)})});
    return true;
  }
  return AddOther(message);
}

bool AttributeList::AddOther(std::string_view message) {
  opentelemetry::proto::common::v1::KeyValue pair;
  if (!pair.ParseFromArray(message.data(), static_cast<int>(message.size()))) return false;
  list_.push_back({Keep(pair.key()), Keep(AttributeText(pair.value()))});
  return true;
}

std::string_view AttributeList::Keep(std::string_view text) {
  if (text.empty()) return {};
  char* const room = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(room, text.data(), text.size());
  return {room, text.size()};
}

void AttributeList::Settle() {
  SortByKey(list_);
  KeepLastOfEqualKeys(list_);
}

void EncodeLabels(const std::vector<Attribute>& common, const std::vector<Attribute>& own,
                  std::vector<Attribute>& scratch, std::string& out) {
  scratch.assign(common.begin(), common.end());
  scratch.insert(scratch.end(), own.begin(), own.end());
  SortByKey(scratch);
  KeepLastOfEqualKeys(scratch);
  std::size_t size = 0;
  for (const auto& [key, text] : scratch) {
    size += wire::VarintSize(key.size()) + key.size() + wire::VarintSize(text.size()) + text.size();
  }
  out.resize(size);
  wire::Pen pen(out.data());
  for (const auto& [key, text] : scratch) {
    pen.Varint(key.size());
    pen.Raw(key.data(), key.size());
    pen.Varint(text.size());
    pen.Raw(text.data(), text.size());
  }
}

}  // namespace liveops::ingest
