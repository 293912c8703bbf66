# Links MindSpore Lite from its unpacked cloud-side package: LITE_HOME/runtime and LITE_HOME/tools/converter.
# The program finds these libraries without LD_LIBRARY_PATH. The libraries of CANN come from its set_env.sh.
set(LITE_LIBRARIES ${LITE_HOME}/runtime/lib ${LITE_HOME}/tools/converter/lib)
foreach(found LITE_INCLUDE LITE_RUNTIME LITE_CORE)
  unset(${found} CACHE)  # LITE_HOME may have changed since the last run
endforeach()
find_path(LITE_INCLUDE NAMES include/api/model.h include/cxx_api/model.h PATHS ${LITE_HOME}/runtime NO_DEFAULT_PATH)
find_library(LITE_RUNTIME mindspore-lite PATHS ${LITE_LIBRARIES} NO_DEFAULT_PATH)
find_library(LITE_CORE mindspore_core_lite PATHS ${LITE_LIBRARIES} NO_DEFAULT_PATH)  # since 2.8
mark_as_advanced(LITE_INCLUDE LITE_RUNTIME LITE_CORE)
if(NOT LITE_INCLUDE OR NOT LITE_RUNTIME)
  message(FATAL_ERROR "LITE_HOME is ${LITE_HOME}, which lacks runtime/include/api/model.h or runtime/lib/libmindspore-lite.so; give the folder of an unpacked cloud-side MindSpore Lite package, or leave it out")
endif()

target_sources(tinynet PRIVATE src/backend_mindspore_lite.cc)
target_compile_definitions(tinynet PUBLIC TINYNET_WITH_LITE)
target_include_directories(tinynet SYSTEM PRIVATE ${LITE_INCLUDE})
target_link_libraries(tinynet PUBLIC ${LITE_RUNTIME} $<$<BOOL:${LITE_CORE}>:${LITE_CORE}>)
file(GLOB LITE_THIRD_PARTY LIST_DIRECTORIES true ${LITE_HOME}/runtime/third_party/*)
list(FILTER LITE_THIRD_PARTY EXCLUDE REGEX "/libjpeg[^/]*$")  # another version, whose pixels differ from Pillow's
foreach(folder ${LITE_LIBRARIES} ${LITE_THIRD_PARTY})
  foreach(candidate ${folder} ${folder}/lib)
    file(GLOB libraries ${candidate}/*.so*)
    if(libraries)
      list(APPEND CMAKE_BUILD_RPATH ${candidate})
      # RPATH instead of RUNPATH, because it also applies to the dependencies of these libraries
      target_link_options(tinynet PUBLIC -Wl,--disable-new-dtags -Wl,-rpath-link,${candidate})
    endif()
  endforeach()
endforeach()
