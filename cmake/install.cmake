# The package: the program, the library with its headers, and what find_package() and pkg-config
# read. `cpack -G DEB` makes two Debian packages of the same: sluice and libsluice-dev.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The storeys io and api in one archive: libsluice.a, for programs sluice::sluice. The storeys'
# targets are not exported, because they carry the warnings and paths of this build.
set(sluice_header_folder ${CMAKE_INSTALL_INCLUDEDIR}/sluice)
add_library(sluice_library STATIC $<TARGET_OBJECTS:sluice_api> $<TARGET_OBJECTS:sluice_io>)
set_target_properties(sluice_library PROPERTIES OUTPUT_NAME sluice EXPORT_NAME sluice
                                                ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_compile_features(sluice_library PUBLIC cxx_std_23)
target_include_directories(sluice_library INTERFACE $<INSTALL_INTERFACE:${sluice_header_folder}>)
target_link_libraries(sluice_library PRIVATE fmt::fmt OpenSSL::Crypto ${CMAKE_DL_LIBS}
                                             simdjson::simdjson Threads::Threads PkgConfig::ZSTD
                                             PkgConfig::ISAL PkgConfig::XXHASH)

install(TARGETS sluice RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(TARGETS sluice_library EXPORT sluiceTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
                                                            COMPONENT library)

# The headers that a program can reach from api/sluice.h, found when they are installed.
install(CODE "set(sluice_source_folder \"${CMAKE_SOURCE_DIR}\")
              set(sluice_header_folder \"${sluice_header_folder}\")"
        COMPONENT library)
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/install_headers.cmake COMPONENT library)

set(sluice_config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
install(EXPORT sluiceTargets NAMESPACE sluice:: DESTINATION ${sluice_config_folder}
        COMPONENT library)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/sluiceConfig.cmake.in
                              ${CMAKE_BINARY_DIR}/generated/cmake/sluiceConfig.cmake
                              INSTALL_DESTINATION ${sluice_config_folder}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/cmake/sluiceConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/generated/cmake/sluiceConfig.cmake
              ${CMAKE_BINARY_DIR}/generated/cmake/sluiceConfigVersion.cmake
        DESTINATION ${sluice_config_folder} COMPONENT library)

file(RELATIVE_PATH sluice_prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/sluice.pc.in
               ${CMAKE_BINARY_DIR}/generated/pkgconfig/sluice.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/generated/pkgconfig/sluice.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

# The man page and the completions (tools/CMakeLists.txt).
install(DIRECTORY ${CMAKE_BINARY_DIR}/generated/share/ DESTINATION ${CMAKE_INSTALL_DATADIR}
        COMPONENT program)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_VENDOR "The sluice authors")
set(CPACK_PACKAGE_CONTACT "The sluice authors <sluice@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "turns a corpus into batch jobs and the answers back into arrays")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program library)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME sluice)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "ca-certificates, libcurl4")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "Headers and static library of sluice, for C++23 programs")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libsluice-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
# What a program that links libsluice.a needs besides, as in debian/control; sluiceConfig.cmake asks
# for pkg-config.
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS
    "ca-certificates, libcurl4, libfmt-dev, libisal-dev, libsimdjson-dev, libssl-dev, libxxhash-dev, libzstd-dev, pkg-config")
include(CPack)
