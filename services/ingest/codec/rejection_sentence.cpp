#include "services/ingest/codec/rejection_sentence.h"

#include "common/base/text.h"

namespace liveops::ingest {

std::string RejectionSentence(const std::vector<admit::Rejection>& rejections,
                              std::string_view what) {
  std::uint64_t points = 0;
  std::string reasons;
  for (const admit::Rejection& rejection : rejections) {
    points += rejection.points;
    reasons += (reasons.empty() ? "" : "; ") + std::string(admit::RefusalWord(rejection.reason)) +
               " (" + std::to_string(rejection.points) + "), e.g. " + ScrubUtf8(rejection.example);
  }
  if (points == 0) return "";
  return std::to_string(points) + " " + std::string(what) + (points == 1 ? "" : "s") +
         " refused: " + reasons;
}

}  // namespace liveops::ingest
