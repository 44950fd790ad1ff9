#include "services/liveopsctl/rehearsal_files.h"

#include <fmt/format.h>

#include <fstream>

#include "services/liveopsctl/plan_file.h"
#include "services/liveopsctl/progress.h"

namespace liveops::ctl {

void Problems::Add(const std::string& file, std::string_view text,
                   const std::vector<plan::Problem>& problems, const Style& style) {
  if (problems.empty()) return;
  v1::CheckPlanResponse of_file;
  for (const plan::Problem& problem : problems) {
    AddProblem(of_file.add_problems(), file, problem);
    AddProblem(all_.add_problems(), file, problem);
  }
  text_ += RenderProblems(of_file.problems(), text, style);
}

int Problems::Tell(Session& session) const {
  session.Answer(all_, text_);
  return kExitUsage;
}

LoadedPlan LoadPlan(const std::string& path, Problems& problems, const Style& style) {
  LoadedPlan loaded;
  loaded.path = path;
  Result<std::string> text = ReadTextFile(path);
  if (!text.ok()) {
    loaded.error = text.error().message;
    return loaded;
  }
  loaded.text = std::move(*text);
  loaded.parsed = plan::Parse(loaded.text);
  problems.Add(path, loaded.text, loaded.parsed.problems, style);
  return loaded;
}

bool ReadRecording(Session& session, const std::string& path, Problems& problems,
                   const std::function<void(const rehearse::RecordedLine&)>& take) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    session.Usage(fmt::format("cannot read {}: no such file, or not allowed", path));
    return false;
  }
  in.seekg(0, std::ios::end);
  const auto size = static_cast<double>(in.tellg());  // below 0 of a pipe: how much is to come?
  in.clear();
  in.seekg(0);
  in.clear();
  ProgressLine progress(session.world());
  rehearse::RecordingReader reader;
  std::string text;
  rehearse::RecordedLine line;
  double read = 0;
  while (std::getline(in, text)) {
    read += static_cast<double>(text.size() + 1);
    if (const auto problem = reader.Read(text, line)) {
      // The one line is shown, not the file.
      const std::string before(static_cast<std::size_t>(problem->line - 1), '\n');
      problems.Add(path, before + text, {*problem}, session.style());
      return false;
    }
    take(line);
    if (size > 0) progress.Show(path, read / size);
  }
  if (in.bad() || (in.fail() && !in.eof())) {
    session.Usage(fmt::format("cannot read {}: it is not a plain file", path));
    return false;
  }
  const auto problem = reader.End();
  if (problem) problems.Add(path, "", {*problem}, session.style());
  return !problem;
}

}  // namespace liveops::ctl
