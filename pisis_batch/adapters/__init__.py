"""One file per outside thing: folders, the database, mail. Each fulfils a protocol of `ports`."""
