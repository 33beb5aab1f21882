// CPU quotas of control groups, read from a copy of the files that the kernel shows.
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "check.hpp"
#include "search/processors.hpp"

namespace {

namespace fs = std::filesystem;

/// Files below a folder that is gone at the end.
class Files {
 public:
  Files(std::initializer_list<std::pair<const char*, std::string>> contents) {
    root_ = fs::temp_directory_path() / ("kpm-cgroup-" + std::to_string(std::random_device{}()));
    for (const auto& [name, text] : contents) {
      const fs::path path = root_ / name;
      fs::create_directories(path.parent_path());
      std::ofstream(path) << text;
    }
  }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  ~Files() { fs::remove_all(root_); }

  double quota() const { return kpm::cpu_quota((root_ / "self").string(), root_.string()); }

 private:
  fs::path root_;
};

constexpr double kNone = std::numeric_limits<double>::infinity();

}  // namespace

TEST(a_container_sees_its_own_group_as_the_root) {
  const Files files{{"self", "0::/\n"}, {"cpu.max", "150000 100000\n"}};
  CHECK_NEAR(files.quota(), 1.5, 0.0);
}

TEST(the_least_quota_of_all_groups_above_counts) {
  const Files files{{"self", "0::/a/b/c\n"},
                    {"cpu.max", "800000 100000"},
                    {"a/cpu.max", "300000 100000"},
                    {"a/b/cpu.max", "max 100000"},
                    {"a/b/c/cpu.max", "400000 100000"}};
  CHECK_NEAR(files.quota(), 3.0, 0.0);
}

TEST(version_1_has_a_file_for_each_number) {
  const std::string self = "5:memory:/m\n4:cpu,cpuacct:/docker/d3adb33f\n3:cpuset:/\n";
  const Files own{{"self", self},
                  {"cpu,cpuacct/docker/d3adb33f/cpu.cfs_quota_us", "50000\n"},
                  {"cpu,cpuacct/docker/d3adb33f/cpu.cfs_period_us", "100000\n"}};
  CHECK_NEAR(own.quota(), 0.5, 0.0);
  // The path is the host's, which the container does not see: its group is the root.
  const Files container{
      {"self", self}, {"cpu/cpu.cfs_quota_us", "250000\n"}, {"cpu/cpu.cfs_period_us", "100000\n"}};
  CHECK_NEAR(container.quota(), 2.5, 0.0);
  const Files unlimited(
      {{"self", self}, {"cpu/cpu.cfs_quota_us", "-1\n"}, {"cpu/cpu.cfs_period_us", "100000\n"}});
  CHECK_NEAR(unlimited.quota(), kNone, 0.0);
}

TEST(no_quota_is_none) {
  CHECK_NEAR((Files{{"self", "0::/\n"}, {"cpu.max", "max 100000\n"}}.quota()), kNone, 0.0);
  CHECK_NEAR((Files{{"self", "0::/\n"}}.quota()), kNone, 0.0);
  CHECK_NEAR((Files{{"other", ""}}.quota()), kNone, 0.0);
  for (const char* const text : {"", "100000", "0 100000", "x y", "100000 0"}) {
    CHECK_NEAR((Files{{"self", "0::/\nnonsense\n1:cpu\n"}, {"cpu.max", text}}.quota()), kNone, 0.0);
  }
}

TEST(there_is_at_least_one_processor) { CHECK(kpm::available_processors() >= 1); }
