#pragma once

#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

// Inside this folder: OpenTelemetry's attributes, read from their bytes, as labels.
namespace liveops::ingest {

struct Attribute {
  std::string_view key;
  std::string_view text;  // as AttributeText of attributes.h
};

// Attributes in the order in which they came; used again from point to point.
class AttributeList {
 public:
  // What is not text in the message itself is written into `memory`, which must outlive the list.
  explicit AttributeList(std::pmr::memory_resource& memory) : memory_(memory) {}

  void Clear() { list_.clear(); }
  // A KeyValue message. False: it is malformed. Keeps pointing into it.
  bool Add(std::string_view message);
  const std::vector<Attribute>& all() const { return list_; }
  std::vector<Attribute>& all() { return list_; }
  // Sorts by key; of equal keys the last stays.
  void Settle();

 private:
  bool AddOther(std::string_view message);
  std::string_view Keep(std::string_view text);

  std::pmr::memory_resource& memory_;
  std::vector<Attribute> list_;
};

// The labels of a point in canonical bytes: `common`, which is settled, and `own`, which win.
// `scratch` is used again.
void EncodeLabels(const std::vector<Attribute>& common, const std::vector<Attribute>& own,
                  std::vector<Attribute>& scratch, std::string& out);

}  // namespace liveops::ingest
