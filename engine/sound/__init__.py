"""Speech: features, speech activity, preparation for models, and the doctor that explains a recording."""
