#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "common/base/hash.h"
#include "common/testing/fuzz.h"

namespace liveops::fuzz {
namespace {

void Write(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) {
    std::cerr << "cannot write " << path << '\n';
    std::exit(1);
  }
}

// As a line of libFuzzer's dictionaries.
std::string Quoted(std::string_view word) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out + "\"\n";
}

// Into an existing folder: `words`, and each seed in seeds/ under the hash of its bytes.
void WriteCorpus(const std::string& folder) {
  std::string words;
  for (const std::string& word : Words()) words += Quoted(word);
  Write(folder + "/words", words);
  for (const std::string& seed : Seeds())
    Write(folder + "/seeds/" + Hex(Sha256Of(seed)).substr(0, 16), seed);
}

}  // namespace

void Demand(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "not so: " << what << std::endl;
  std::abort();
}

void DemandSame(std::string_view got, std::string_view expected) {
  if (got == expected) return;
  std::cerr << "got:\n" << got << "\nexpected:\n" << expected << std::endl;
  std::abort();
}

}  // namespace liveops::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* folder = std::getenv("LIVEOPS_FUZZ_CORPUS")) {
    liveops::fuzz::WriteCorpus(folder);
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  liveops::fuzz::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
