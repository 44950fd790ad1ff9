#include "services/ingest/codec/snappy_block.h"

#include <snappy.h>

namespace liveops::ingest {
namespace {

constexpr std::size_t kExpansionMax = 22;  // a copy of 64 bytes takes three

}  // namespace

std::optional<std::size_t> SnappyLength(std::string_view block) {
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &length)) return std::nullopt;
  return length;
}

Result<std::string> ReadSnappyBlock(std::string_view block, std::size_t bytes_max) {
  const std::optional<std::size_t> length = SnappyLength(block);
  if (!length) return InvalidError("the body is not a Snappy block");
  if (*length > bytes_max) {
    return InvalidError("the body holds " + std::to_string(*length) + " bytes, at most " +
                        std::to_string(bytes_max) + " are allowed");
  }
  if (*length > kExpansionMax * block.size())
    return InvalidError("the body states a length that no Snappy block of its size can have");
  std::string out(*length, '\0');
  if (!snappy::RawUncompress(block.data(), block.size(), out.data()))
    return InvalidError("the body is not a sound Snappy block");
  return out;
}

}  // namespace liveops::ingest
