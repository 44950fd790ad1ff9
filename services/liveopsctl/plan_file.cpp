#include "services/liveopsctl/plan_file.h"

#include <fmt/format.h>

#include <fstream>

#include "services/liveopsctl/render/plans.h"

namespace liveops::ctl {
namespace {

constexpr std::size_t kBytesMax = 1u << 20;

}  // namespace

Result<std::string> ReadTextFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return NotFoundError(fmt::format("cannot read {}: no such file, or not allowed", path));
  std::string text(kBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return InvalidError(fmt::format("cannot read {}: it is not a plain file", path));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kBytesMax) {
    return InvalidError(fmt::format("{} is larger than {} bytes: it is no plan", path, kBytesMax));
  }
  return text;
}

void AddProblem(v1::PlanProblem* out, const std::string& file, const plan::Problem& problem) {
  out->set_file(file);
  out->set_line(static_cast<std::uint32_t>(problem.line));
  out->set_column(static_cast<std::uint32_t>(problem.column));
  out->set_message(problem.message);
}

std::string RenderProblems(const google::protobuf::RepeatedPtrField<v1::PlanProblem>& problems,
                           std::string_view source, const Style& style) {
  std::string out;
  for (const v1::PlanProblem& problem : problems) out += RenderProblem(problem, source, style);
  return out + fmt::format("{} problem{}\n", problems.size(), problems.size() == 1 ? "" : "s");
}

}  // namespace liveops::ctl
