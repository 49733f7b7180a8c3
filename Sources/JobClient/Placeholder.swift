// JobClient
