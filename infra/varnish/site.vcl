# What differs from place to place: where asgilook is, and who may purge.

backend asgilook {
    .host = "127.0.0.1";
    .port = "8000";
}

acl purgers {
    "127.0.0.1";
}
