// Canonical label bytes, which come from the log and from snapshots.
#include <string>

#include "common/base/labels.h"
#include "common/base/text.h"
#include "common/testing/fuzz.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  return {"", Labels({{"host", "a"}}).Encode(),
          Labels({{"", "x"}, {"endpoint", "/a\"b"}, {"zone", ""}}).Encode(),
          Labels({{"größe", std::string(300, 'x')}}).Encode()};
}

std::vector<std::string> Words() { return {"host", "\x80", {1, '\0'}}; }

void Run(std::string_view input) {
  const auto labels = Labels::Decode(input);
  if (!labels) return;
  const std::string bytes = labels->Encode();
  const auto again = Labels::Decode(bytes);
  Demand(again && *again == *labels, "labels read back as they were written");
  Demand(bytes.size() <= input.size(), "the canonical bytes are the shortest");
  Labels pieced;
  for (const auto& [name, value] : *labels) {
    pieced.Set(name, value);
    const std::string* found = labels->Find(name);
    Demand(found != nullptr && *found == value, "every label is found by its name");
  }
  Demand(pieced == *labels, "labels that are set one by one are the same");
  const std::string text = labels->ToString();
  Demand(text.empty() == labels->empty(), "only no labels have no text");
  Demand(IsPlainText(ScrubUtf8(text)), "the text has no control characters");
}

}  // namespace liveops::fuzz
